/**
 * What an engine does with its chains' coverage while it runs, every few seconds: watchers write it down, here it is copied to where history is
 * asked, and who has fallen silent is noticed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import type { Control } from "../control/open.ts";
import type { Config } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { readCoverage } from "../source/rpc/coverage.ts";
import { createDeadMansSwitch } from "./deadMansSwitch.ts";
import { createCoverageMirror } from "./mirror.ts";
import { channelsOf } from "./silence.ts";

export interface CoverageOptions {
  readonly config: Pick<Config, "kafka" | "nodes">;
  readonly control: Control;
  readonly store: Store;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A few reads of some rows. Watchers write as often. */
const LOOK_MS = 5_000;

/** Runs until the signal aborts; whatever is away is waited for. */
export async function followCoverage({ config, control, store, log, signal }: CoverageOptions): Promise<void> {
  const mirror = createCoverageMirror(control, store);
  const deadMansSwitch = createDeadMansSwitch(control, config.nodes.silentAfter);

  async function lookForSilence(): Promise<void> {
    const { raised, recovered } = await deadMansSwitch.look(channelsOf(await readCoverage(control)), Date.now());
    for (const { chainId, source, channel, lastAt } of raised)
      log.error({ event: "channel_silent", chain: chainId, source, channel, since: lastAt }, "A chain fell silent");
    for (const { chainId, source, channel } of recovered)
      log.info({ event: "channel_heard", chain: chainId, source, channel }, "A chain that was silent is heard again");
    if (!config.kafka.brokers) return;
    await deadMansSwitch.tell(async (records) => (await import("./tell.ts")).tellOnTopic(config, records));
  }

  while (!signal.aborted) {
    // neither keeps the other from its work: the one needs the store, the other Kafka
    for (const work of [mirror, lookForSilence])
      try {
        await work();
      } catch (error) {
        const reason = messageOf(error);
        logSeldom(log, "warn", { event: "coverage_unread", reason }, "Cannot follow what is covered; trying again");
      }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {}); // aborted: the loop's head ends it
  }
}
