/** Peers in JavaScript, and the client alone: a process a core in one group, each with Weir's own way to read records in batches. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { runnable } from "../../engine/bundle.mjs";
import { NODE_FLAGS } from "../../engine/nodeFlags.mjs";
import { processCpu } from "../measure/processCpu.ts";
import { createProgress, type KafkaPeer, type PeerJob, type Progress, type RunningPeer } from "./kafkaPeer.ts";

/** What a process says: how far it is, whenever that has changed, and when asked, matches by rule. */
export type PeerMessage = Progress | { readonly counts: readonly number[] };

export type NodePeerKind = "hash index" | "json-rules-engine" | "client alone";

export interface NodePeerJob extends PeerJob {
  readonly kind: NodePeerKind;
  /** Of the dense mix, the first so many. */
  readonly rules: number;
}

/** It takes 0.35 s of CPU a transaction with 10,000 rules. */
const JSON_RULES_ENGINE_TRANSACTIONS = 8;

export function nodePeers(rules: number): KafkaPeer[] {
  const start = (kind: NodePeerKind) => (job: PeerJob) =>
    forkPeer("bench/peers/nodePeerProcess", { ...job, kind, rules } satisfies NodePeerJob, job.threads, {});
  return [
    { name: "Node, JSON.parse, hash index in plain JS", start: start("hash index") },
    { name: "Node, json-rules-engine", start: start("json-rules-engine"), most: JSON_RULES_ENGINE_TRANSACTIONS },
    { name: "librdkafka by Weir's client, records thrown away", start: start("client alone"), countsNothing: true },
  ];
}

/**
 * @param script an entry of the bundle
 * @param job its argument, as JSON
 * @param env variables beside PATH and HOME
 */
export async function forkPeer(
  script: string,
  job: unknown,
  processes: number,
  env: Readonly<Record<string, string>>,
): Promise<RunningPeer> {
  const file = await runnable(script);
  const progress = createProgress(processes);
  const asked: ((counts: readonly number[]) => void)[] = [];
  let stopping = false;
  const start = (part: number): ChildProcess => {
    const child = fork(file.at(-1)!, [JSON.stringify(job)], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: "warn", ...env },
      execArgv: [...NODE_FLAGS, ...file.slice(0, -1), ...(process.env.BENCH_NODE_FLAGS?.split(" ") ?? [])],
    });
    child.on("message", (message: PeerMessage) => {
      if ("counts" in message) asked[part]!(message.counts);
      else progress.tell(part, message);
    });
    child.once("exit", (code, signal) => {
      if (!stopping) progress.end(new Error(`Cannot measure: "${script}" ended with ${code ?? signal}`));
    });
    return child;
  };
  const children = Array.from({ length: processes }, (_, part) => start(part));
  return {
    until: progress.until,
    async counts() {
      const all = await Promise.all(
        children.map(
          (child, part) =>
            new Promise<readonly number[]>((resolve) => {
              asked[part] = resolve;
              child.send("counts");
            }),
        ),
      );
      return all[0]!.map((_, rule) => all.reduce((sum, counts) => sum + counts[rule]!, 0));
    },
    cpu: () => children.reduce((sum, { pid }) => sum + processCpu(pid!), 0),
    async stop() {
      stopping = true;
      const exited = children.map((child) => once(child, "exit"));
      for (const child of children) child.disconnect();
      await Promise.all(exited);
    },
  };
}
