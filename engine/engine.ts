/** Puts the rooms together: a source, worker threads, a ledger and the store become a running engine. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Store, StoreUnavailable } from "../clickhouse/client.ts";
import { createRegistry } from "./chain/registry/registry.ts";
import type { RegistryData } from "./chain/registry/registryData.ts";
import { createOrderedWork } from "./dispatch/orderedWork.ts";
import { type PipelineLimits, type PipelineObserver, runPipeline } from "./dispatch/pipeline.ts";
import { createPool } from "./dispatch/pool.ts";
import type { PublishedTap } from "./dispatch/publishedTap.ts";
import { createStateMemory } from "./dispatch/stateMemory.ts";
import { needsPerson } from "./needsPerson.ts";
import type { Config } from "./ops/config.ts";
import { messageOf } from "./ops/errors.ts";
import type { Failpoint } from "./ops/failpoint.ts";
import type { Component, Health } from "./ops/health.ts";
import type { Log } from "./ops/log.ts";
import { logSeldom } from "./ops/logSeldom.ts";
import type { Metrics } from "./ops/metrics.ts";
import { traced } from "./ops/tracing.ts";
import { createOutcomeLog } from "./outcomeLog.ts";
import { createOutcomeMeter } from "./outcomeMeter.ts";
import { createBreaker } from "./rules/breaker.ts";
import type { Catalogue } from "./rules/catalogue.ts";
import { createQuarantineGuard } from "./rules/quarantine.ts";
import { createThrottle } from "./rules/throttle.ts";
import type { Ledger } from "./sink/ledger.ts";
import { createStateCompactor, loadState } from "./sink/stateLog.ts";
import { storeRound } from "./sink/storeRound.ts";
import type { Source } from "./source/source.ts";
import { batchFacts, roundFacts } from "./spans.ts";

export interface EngineParts {
  readonly config: Config;
  /** What WEIR_REGISTRY names, for the names of chains; workers find it in their world. */
  readonly registry: RegistryData;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly failpoint: Failpoint;
  /** Told of everything that is published. */
  readonly tap?: PublishedTap;
}

/** A source with the ledger that keeps its positions: made anew for each attempt, closed after it. */
export interface Stream {
  readonly source: Source;
  readonly ledger: Ledger;
  /** What it depends on, for health, while it runs. */
  readonly component?: Component;
  close(): Promise<void>;
}

export interface Engine {
  /**
   * Runs a stream until it ends or the signal aborts; what was begun is finished first. When it breaks, it begins anew from the
   * ledger after a pause, as often as it takes.
   * @throws what only a person can mend: configuration, a rule whose policy is halt, a rule set that is gone
   */
  run(open: () => Promise<Stream>, signal: AbortSignal, observer?: PipelineObserver): Promise<void>;
  close(): Promise<void>;
}

/** Pauses between attempts, in ms: short at first, so that a rebalance costs little, then long enough not to be a crash loop. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;
/** How often owners are looked at: a throttled rule that is due runs again within this. */
const LOOK_MS = 1_000;
/**
 * A round is one insert a table: 75,000 pending transactions of 428 bytes. Where 50,000 rows end it, the store has 0.3 to 0.7 µs of CPU
 * more for one, of 5. The embedded store takes bodies of 256 MiB.
 */
const MAX_ROUND_BYTES = 32 << 20;

export const limitsOf = ({ engine, kafka }: Pick<Config, "engine" | "kafka">): PipelineLimits => ({
  batch: { records: engine.batchMaxRecords, bytes: engine.batchMaxBytes, blockWait: engine.blockWaitMs },
  tasks: engine.threads + 1,
  rangeAge: engine.rangeMaxAgeMs,
  rangeRows: engine.rangeMaxRows,
  rangeBytes: Math.min(engine.inFlightBytes / 8, MAX_ROUND_BYTES),
  bytesInFlight: engine.inFlightBytes,
  drain: kafka.drainMs,
});

export function createEngine({
  config,
  registry,
  store,
  catalogue,
  log,
  metrics,
  health,
  failpoint,
  tap,
}: EngineParts): Engine {
  const logOutcomes = createOutcomeLog(log);
  const meter = createOutcomeMeter(metrics, createRegistry(registry), catalogue);
  const guard = createQuarantineGuard({ catalogue, breaker: createBreaker(), log });
  const throttle = createThrottle({
    catalogue,
    log,
    coolDownMs: config.rules.coolDownMs,
    onThrottled: (rule) => metrics.ruleThrottles.inc({ rule }),
  });
  function lookAtOwners(): void {
    throttle.release();
    for (const [owner, { running, throttled }] of catalogue.countByOwner()) {
      const { maxRules, fuelPerSecond } = catalogue.owners.quotaOf(owner);
      metrics.ownerRules.set({ owner }, running);
      metrics.ownerThrottled.set({ owner }, throttled);
      metrics.ownerMaxRules.set({ owner }, maxRules);
      metrics.ownerMaxFuel.set({ owner }, fuelPerSecond);
    }
  }
  lookAtOwners(); // what is due by now runs from the first batch on, however soon the last one comes
  const looking = setInterval(lookAtOwners, LOOK_MS);
  looking.unref();
  const pool = createPool({
    threads: config.engine.threads,
    instances: config.engine.instances,
    rules: (id) => catalogue.snapshot(id),
    world: (id) => catalogue.worldOf(id),
    onDeath: (error) => {
      metrics.workerRestarts.inc();
      log.error({ event: "worker_died", err: error }, "A worker thread died; its batch runs again");
    },
    onGuilty: (guilty) => guard.take(guilty),
    onStages(seconds) {
      for (const [stage, took] of Object.entries(seconds)) metrics.stageSeconds.observe({ stage }, took);
    },
  });
  const compact = createStateCompactor(store);
  metrics.stateMaxBytes.set(config.engine.stateBytes);
  const storeHealth = health.register({ name: "store", state: { up: true } });
  /** Registered with the first run: an API node has no stream, and is ready without. */
  let streamHealth: ReturnType<Health["register"]> | undefined;

  /** Waits for the store as long as it takes; what waiting does not mend is thrown. */
  async function retry(error: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    metrics.storeErrors.inc({ operation: "insert" });
    if (!(error instanceof StoreUnavailable)) throw error;
    const reason = error.message;
    storeHealth.set({ up: false, reason });
    const event = reason.includes('insert into "opportunities"') ? "failed_to_save_opportunity" : "store_retry";
    logSeldom(
      log,
      "warn",
      { event, attempt, reason },
      "The store did not take or give what a range needs; trying again",
    );
    await sleep(Math.min(LONGEST_PAUSE, 100 * 2 ** Math.min(attempt, 6)), undefined, { signal });
  }

  const observe = (observer: PipelineObserver | undefined): PipelineObserver => ({
    ...observer,
    worked(outcome) {
      observer?.worked?.(outcome);
      tap?.worked(outcome);
    },
    published(outcomes) {
      meter.published(outcomes);
      for (const { outcome } of outcomes) {
        guard.observe(outcome.rules);
        throttle.observe(outcome);
      }
      logOutcomes(outcomes);
      observer?.published?.(outcomes);
      tap?.published(outcomes);
    },
    stored(partition, range) {
      metrics.rangesStored.inc();
      storeHealth.set({ up: true });
      observer?.stored?.(partition, range);
    },
    bytesInFlight(bytes) {
      metrics.inFlightBytes.set(bytes);
    },
    assignment(change, partitions) {
      log[config.kafka.brokers ? "info" : "debug"](
        { event: `partitions_${change}`, partitions },
        "The share of the topic has changed",
      );
      streamHealth?.set({ up: true, facts: { [change]: [...partitions] } });
      observer?.assignment?.(change, partitions);
    },
  });

  async function attempt(stream: Stream, signal: AbortSignal, observer: PipelineObserver): Promise<void> {
    const { source, ledger } = stream;
    const untilStored = async <T>(ask: () => Promise<T>, stopped: AbortSignal): Promise<T> => {
      for (let tries = 1; ; tries++) {
        try {
          return await ask();
        } catch (error) {
          await retry(error, tries, stopped);
        }
      }
    };
    const work = createOrderedWork({
      pool,
      rules: (id) => catalogue.snapshot(id),
      memory: createStateMemory({
        load: (from, lane, before, only) =>
          untilStored(() => loadState(store, from, lane.partition, before, only), lane.given.signal),
        most: config.engine.stateBytes,
        onOver: (greedy) => guard.take(greedy),
        onUse(rule, bytes, total) {
          metrics.stateBytes.set(total);
          if (bytes > 0) metrics.ruleStateBytes.set({ rule }, bytes);
          else metrics.ruleStateBytes.remove({ rule });
        },
      }),
    });
    await runPipeline(
      {
        source,
        ledger,
        work(task, lane) {
          meter.begun(task.batch);
          return traced("batch", batchFacts(task.batch), () => work(task, lane));
        },
        store: (members, stopped) =>
          traced("round", roundFacts(source.name, members), async () => {
            failpoint("before store");
            await storeRound({
              store,
              source: source.name,
              members,
              failpoint,
              signal: stopped,
              retry: (error, tries) => retry(error, tries, stopped),
            });
            for (const { partition, range, stored } of members)
              await untilStored(() => compact(source.name, partition, range, stored), stopped);
            failpoint("after store");
          }),
        current: () => ({ catalogue: catalogue.current(), world: catalogue.world() }),
        limits: limitsOf(config),
        observe: observer,
      },
      signal,
    );
  }

  return {
    async run(open, signal, observer) {
      const observing = observe(observer);
      streamHealth ??= health.register({ name: "stream", state: { up: false, reason: "not started" } });
      for (let tries = 0, began = Date.now(); ; ) {
        let stream: Stream | undefined;
        let component: { remove(): void } | undefined;
        try {
          stream = await open();
          component = stream.component && health.register(stream.component);
          began = Date.now();
          await attempt(stream, signal, observing);
          return;
        } catch (error) {
          metrics.ledgerCommits.inc({ result: "failed" });
          const reason = messageOf(error);
          streamHealth.set({ up: false, reason });
          if (signal.aborted)
            return log.warn(
              { event: "stream_stopped", reason },
              "Stopped while something failed; the next start finishes it",
            );
          if (needsPerson(error)) throw error;
          // A stream that ran well for a while is a new case, not the next failure of the old one.
          tries = Date.now() - began > 60_000 ? 1 : tries + 1;
          logSeldom(
            log,
            "warn",
            { event: "stream_broken", tries, reason },
            "The stream broke; beginning anew from the ledger",
          );
          await sleep(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)), undefined, { signal }).catch(() => {});
        } finally {
          component?.remove();
          await stream
            ?.close()
            .catch((error: unknown) =>
              logSeldom(
                log,
                "warn",
                { event: "close_failed", reason: messageOf(error) },
                "Closing a broken stream failed",
              ),
            );
        }
        if (signal.aborted) return;
      }
    },
    async close() {
      clearInterval(looking);
      await pool.close();
      await guard.settled();
      await throttle.settled();
    },
  };
}
