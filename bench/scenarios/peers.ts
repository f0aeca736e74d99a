/**
 * The peers' job, all of them in one run on one broker: records of a topic, one JSON transaction each, 10,000 rules of the dense mix, and
 * how many transactions each rule matches. Nobody alerts or stores. Beside them what the machine gives at most.
 *
 * All run at once and wait, each for a topic of its own. They take turns, run by run, so that a machine that gets slower does so for all: the
 * load is put on the peer's topic inside an open transaction, that is committed, and the clock runs until the peer has counted all.
 */
import { availableParallelism } from "node:os";
import { createAdmin } from "../../engine/kafka/admin.ts";
import { UsageError } from "../../engine/ops/errors.ts";
import { startBroker } from "../../test/support/kafkaBroker.ts";
import { figure } from "../figure.ts";
import { fill, warmUpFills } from "../load/fill.ts";
import type { LoadRecord } from "../load/load.ts";
import { type JsonRule, mixRules, mixTransactions } from "../load/ruleMix.ts";
import { countByRule, parseTransaction } from "../load/ruleTruth.ts";
import { countingEngine } from "../measure/countingEngine.ts";
import { clickhousePeer } from "../peers/clickhousePeer.ts";
import { javaPeers } from "../peers/javaPeers.ts";
import type { KafkaPeer, RunningPeer } from "../peers/kafkaPeer.ts";
import { nodePeers } from "../peers/nodePeers.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";
import { measureLimits } from "./peers/limits.ts";

const RULES = 10_000;
const PARTITIONS = 12;
/** Of a fill; a run that takes longer has lost records. Esper first deploys its statements: 25 s on a quiet machine. */
const PATIENCE_SECONDS = 600;
const LIMITS = "limits";
/** Whom to be ahead of. */
const RIVALS = ["Java consumer", "Kafka Streams", "Flink"];

interface Sizes {
  /** Transactions that differ, which brute force counts, and how often each comes in a fill. */
  readonly distinct: number;
  readonly copies: number;
}
const FULL: Sizes = { distinct: 10_000, copies: 100 };
const QUICK: Sizes = { distinct: 2_000, copies: 20 };

/** A peer that waits for its next fill. */
interface Contender {
  readonly peer: KafkaPeer;
  readonly running: RunningPeer;
  readonly topic: string;
  readonly records: readonly LoadRecord[];
  /** What a fill's transactions come to, by rule. */
  readonly truth: readonly number[];
  fills: number;
  readonly rates: number[];
  readonly cpus: number[];
}

export const peers: Scenario = {
  name: "peers",
  async run(context) {
    const broker = await startBroker({ measured: true });
    try {
      return await comparePeers(broker.brokers, context, context.quick ? QUICK : FULL, mixRules("dense", RULES));
    } finally {
      await broker.close();
    }
  },
};

/** @param rules of the dense mix, its first ones */
export async function comparePeers(
  brokers: string,
  context: Context,
  sizes: Sizes,
  rules: readonly JsonRule[],
): Promise<Measured> {
  const { only, say } = context;
  const all = [
    countingEngine({ mix: "dense", rules: rules.length }),
    ...javaPeers(rules),
    ...nodePeers(rules.length),
    clickhousePeer(rules),
  ];
  const names = [LIMITS, ...all.map(({ name }) => name)];
  const parts = only.split(",");
  const has = (name: string, part: string): boolean => name.toLowerCase().includes(part.toLowerCase());
  const wanted = (name: string): boolean => parts.some((part) => has(name, part));
  const stranger = parts.find((part) => !names.some((name) => has(name, part)));
  if (stranger !== undefined) throw new UsageError(`Cannot run "${stranger}": expected a part of ${names.join(", ")}`);
  const chosen = all.filter(({ name }) => wanted(name));
  say(`making ${sizes.distinct} transactions, and counting by brute force what ${rules.length} rules match of them`);
  const lines = mixTransactions(sizes.distinct);
  const notes: string[] = [];
  const parsed = lines.map(parseTransaction);
  const truth = countByRule(rules, parsed);
  const contenders: Contender[] = [];
  try {
    for (const peer of chosen) {
      const once = peer.countsNothing ? rules.map(() => 0) : peer.most === undefined ? truth : countByRule(rules, parsed.slice(0, peer.most)); // biome-ignore format: one line
      const contender = await enter(peer, brokers, lines, once, sizes).catch((error: Error) => error);
      if (!(contender instanceof Error)) contenders.push(contender);
      else notes.push(`${peer.name} is left out: ${contender.message.split("\n").slice(0, 3).join(" ")}`);
    }
    for (const note of notes) say(note);
    for (let run = 1 - warmUpFills(context.quick); run <= context.runs; run++)
      for (const contender of inTurn(contenders, run)) await measureFill(brokers, contender, run, context);
    const checks: Check[] = [];
    for (const contender of contenders) checks.push(...(await check(contender)));
    const measured = contenders.flatMap((contender) => figuresOf(contender, lines));
    const limits = wanted(LIMITS) ? await measureLimits(brokers, contenders[0]?.topic, lines, context) : [];
    return { checks, figures: [...ahead(contenders, lines), ...measured, ...limits], notes };
  } finally {
    for (const { running } of contenders) await running.stop();
  }
}

/** Forwards and backwards, so that nobody always comes behind the same one, which may still have something to tidy up. */
const inTurn = <T>(all: readonly T[], run: number): readonly T[] => (run % 2 === 0 ? all : all.toReversed());

/** Starts a peer on a topic of its own. @param once what its transactions come to by rule, if each comes once @throws Error with the reason where it cannot be had */
async function enter(
  peer: KafkaPeer,
  brokers: string,
  lines: readonly string[],
  once: readonly number[],
  { copies }: Sizes,
): Promise<Contender> {
  const some = peer.most === undefined ? lines : lines.slice(0, peer.most);
  const times = peer.most === undefined ? copies : 1;
  const topic = `peer-${peer.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${process.pid}`;
  const admin = await createAdmin({ brokers });
  await admin.createTopics([{ topic, partitions: PARTITIONS }]);
  await admin.close();
  const running = await peer.start({ brokers, topic, group: topic, threads: availableParallelism() });
  const records = some.map(recordOf);
  return {
    ...{ peer, running, topic, fills: 0, rates: [], cpus: [] },
    records: Array.from({ length: times }, () => records).flat(),
    truth: once.map((count) => count * times),
  };
}

const recordOf = (line: string): LoadRecord => {
  const { chainId, from } = JSON.parse(line) as { chainId: number; from: string };
  return { key: `${chainId}:${from}`, value: Buffer.from(line) };
};

/** Runs below 1 warm up. */
async function measureFill(brokers: string, contender: Contender, run: number, { runs, say }: Context): Promise<void> {
  const { peer, running, topic, records } = contender;
  const filling = await fill(brokers, topic, records, undefined);
  const before = running.cpu();
  const began = performance.now(); // not after: who is quick has begun before a commit is confirmed
  await filling.release();
  await running.until(++contender.fills * records.length, PATIENCE_SECONDS);
  const seconds = (performance.now() - began) / 1_000;
  const cpu = ((running.cpu() - before) * 1e6) / records.length;
  await filling.close();
  const rate = records.length / seconds;
  say(`${peer.name}: ${run < 1 ? "warm-up" : `run ${run} of ${runs}`}, ${Math.round(rate)} tx/s, ${cpu.toFixed(1)} µs of CPU each`); // biome-ignore format: one line
  if (run < 1) return;
  contender.rates.push(rate);
  contender.cpus.push(cpu);
}

async function check({ peer, running, records, truth, fills }: Contender): Promise<Check[]> {
  const { transactions, matches } = await running.until(fills * records.length, 1);
  const checks = [
    { name: `${peer.name}: transactions`, expected: fills * records.length, got: transactions },
    { name: `${peer.name}: matches`, expected: fills * truth.reduce((sum, count) => sum + count, 0), got: matches },
  ];
  const counts = peer.countsNothing ? undefined : await running.counts();
  if (counts === undefined) return checks;
  const wrong = truth.filter((count, rule) => counts[rule] !== fills * count).length;
  return [...checks, { name: `${peer.name}: rules whose matches are miscounted`, expected: 0, got: wrong }];
}

const bytesOf = (lines: readonly string[]): number =>
  Math.round(lines.reduce((sum, { length }) => sum + length, 0) / lines.length);

const loadOf = ({ peer, records, truth }: Contender, lines: readonly string[]): string => {
  const matches = truth.reduce((sum, count) => sum + count, 0) / records.length;
  return `${bytesOf(lines)} B, ${peer.countsNothing ? "no rules" : `${matches.toFixed(2)} matches a transaction`}`;
};

function figuresOf(contender: Contender, lines: readonly string[]): Figure[] {
  const { peer, rates, cpus } = contender;
  const load = loadOf(contender, lines);
  return [
    { ...figure(peer.name, "tx/s", rates), load },
    ...(cpus.every(Number.isFinite) ? [{ ...figure(`${peer.name}: CPU`, "µs/tx", cpus), load }] : []),
  ];
}

/** Run by run, since they took turns. */
function ahead(contenders: readonly Contender[], lines: readonly string[]): Figure[] {
  const rivals = contenders.filter(({ peer }) => RIVALS.some((name) => peer.name.startsWith(name)));
  const ours = contenders.find(({ peer }) => peer.name === "Weir");
  if (ours === undefined || rivals.length === 0) return [];
  const ratios = ours.rates.map((rate, run) => rate / Math.max(...rivals.map(({ rates }) => rates[run]!)));
  const title = `Weir by the best of ${rivals.map(({ peer }) => peer.name.split(",")[0]).join(", ")}`;
  return [{ ...figure(title, "times", ratios, { atLeast: 1 }), load: loadOf(ours, lines) }];
}
