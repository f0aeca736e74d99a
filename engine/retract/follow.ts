/**
 * Takes back what replaced blocks said. A chain's watcher says on `block_status` which blocks were mined and which were replaced; of those we tell
 * the readers of our topics which alerts do not hold any more, and the store, so that everything read from it says so.
 *
 *     block_status ──▶ replaced_blocks, chain_heads ──▶ wait until the block's rows are stored ──▶ alerts, mev_bundles, arbitrage-*
 *
 * The retractions and the position on `block_status` are one Kafka transaction: a reader of committed records sees each once. Of all engines of
 * a group one does it, as Kafka assigns the partition.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import { type Admin, createAdmin } from "../kafka/admin.ts";
import { type Consumer, createConsumer, type Message } from "../kafka/consumer.ts";
import { createProducer, type Producer } from "../kafka/producer.ts";
import { inTransaction, put } from "../kafka/transaction.ts";
import { needsPerson } from "../needsPerson.ts";
import type { Config } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { countSent, type Metrics } from "../ops/metrics.ts";
import { decodeLedger } from "../sink/ledger.ts";
import { openHours } from "../statistics/closeHours.ts";
import { alertsOf, placeOf, putStatuses, type Turn } from "./blockStates.ts";
import { readStatus, type StatusRecord } from "./statusRecord.ts";

export interface RetractOptions {
  readonly config: Config;
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** How long to wait for the rows of a replaced block, of which some may never come: a dead letter is none. Default 10 min. */
  readonly waitMs?: number;
}

const PAUSE_MS = 2_000;
/** How often the topic is looked for: it is there once somebody has made the topics, or watches a chain. */
const LOOK_MS = 10_000;
const WAIT_MS = 600_000;
const PROCESS_ID = randomUUID();

/** Runs until the signal aborts; whatever is away is waited for. @throws what only a person can mend */
export async function followBlockStatus(options: RetractOptions): Promise<void> {
  const { log, signal } = options;
  while (!signal.aborted) {
    try {
      if (await isThere(options)) await run(options);
      else await sleep(LOOK_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (needsPerson(error)) throw error;
      const reason = messageOf(error);
      logSeldom(
        log,
        "warn",
        { event: "retractions_broken", reason },
        "Following replaced blocks broke; beginning anew",
      );
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }
}

async function isThere({ config: { kafka } }: RetractOptions): Promise<boolean> {
  const admin = await createAdmin({ brokers: kafka.brokers!.join(",") });
  try {
    return (await admin.partitionCount(kafka.topics.blockStatus)) !== null;
  } finally {
    await admin.close();
  }
}

async function run({ config, store, log, metrics, signal, waitMs = WAIT_MS }: RetractOptions): Promise<void> {
  const { groupId, instanceId, topics } = config.kafka;
  const brokers = config.kafka.brokers!.join(",");
  const complain = ({ message }: Error): void =>
    logSeldom(log, "warn", { event: "kafka_error", reason: message }, "The Kafka client reports an error");
  const producer = await createProducer({
    brokers,
    transactionalId: `${groupId}-retractions-${instanceId ?? PROCESS_ID}`,
    onSent: countSent(metrics),
  });
  const admin = await createAdmin({ brokers });
  let consumer: Consumer | undefined;
  try {
    consumer = await createConsumer({
      brokers,
      groupId: `${groupId}-retractions`,
      ...(instanceId === undefined ? {} : { instanceId }),
      topics: [topics.blockStatus],
      onAssign: () => [],
      onRevoke: async () => {},
      onLost: () => {},
      onError: complain,
    });
    while (!signal.aborted) {
      const messages = await consumer.poll(500);
      if (messages.length === 0) continue;
      const epochs = new Map(
        messages.map(({ topic, partition }) => [partition, consumer!.epoch({ topic, partition }) ?? -1]),
      );
      const turns: Turn[] = [];
      for (const records of byPartition(readAll(messages, log)))
        turns.push(...(await putStatuses(store, records, config.nodes.reorgDepth)));
      for (const turn of turns) await openHours(store, turn);
      for (const turn of turns) await untilStored(consumer, admin, turn);
      const records = (await Promise.all(turns.map(recordsOf))).flat();
      await publish(producer, consumer, records, messages, epochs);
      for (const { replaced } of turns) metrics.blockTurns.inc({ turn: replaced ? "replaced" : "back" });
      metrics.retractions.inc(records.length);
    }
  } finally {
    await consumer?.close();
    await producer.close();
    await admin.close();
  }

  /**
   * The engine may still be on its way to what was replaced: its alerts can be named when they are stored. They are when the block's transactions
   * are, and the ledger says so: a round's tables are inserted one after the other.
   */
  async function untilStored(consumer: Consumer, admin: Admin, turn: Turn): Promise<void> {
    const deadline = performance.now() + waitMs;
    consumer.pause(consumer.owned());
    try {
      while (!(await isStored(admin, turn))) {
        if (performance.now() > deadline) {
          const facts = { event: "retraction_incomplete", chain: turn.chainId, block: turn.number, hash: turn.hash };
          log.warn(facts, "A replaced block is not whole in the store; what is there is retracted");
          return;
        }
        for (let waited = 0; waited < 3; waited++) await consumer.poll(1); // 0.1 s each: rebalances arrive through it
        signal.throwIfAborted();
      }
    } finally {
      consumer.resume(consumer.owned());
    }
  }

  async function isStored(admin: Admin, turn: Turn): Promise<boolean> {
    const place = await placeOf(store, topics.txRaw, turn);
    if (!place?.isWhole) return false;
    const [committed] = await admin.committed(groupId, [{ topic: topics.txRaw, partition: place.partition }]);
    const { offset, metadata } = committed!;
    if (offset === null) return false;
    return place.offset < (metadata === "" ? offset : decodeLedger(metadata, offset).stored);
  }

  async function recordsOf(turn: Turn): Promise<TurnRecord[]> {
    const { chainId: chain_id, number: block_number, hash: block_hash, replaced } = turn;
    const status = replaced ? "retracted" : "provisional";
    const block = { chain_id, block_number, block_hash };
    const alerts = (await alertsOf(store, turn)).map((alert) => ({
      topic: topics.alerts,
      key: `${chain_id}:${alert.tx_hash}`,
      value: { ...alert, status, ...block },
    }));
    const findings = [
      topics.mevBundles,
      topics.arbitrageTransactions,
      topics.arbitrageOpportunities,
      ...(topics.riskMetrics === undefined ? [] : [topics.riskMetrics]),
    ].map((topic) => ({
      ...{ topic, key: String(chain_id), value: { kind: "block", status, ...block } },
    }));
    return [...alerts, ...findings];
  }
}

interface TurnRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: object;
}

function readAll(messages: readonly Message[], log: Log): StatusRecord[] {
  return messages.flatMap((message) => {
    const read = readStatus(message);
    if (typeof read !== "string") return [read];
    log.error({ event: "block_status_refused", reason: read }, "A record of block_status says nothing of a block");
    return [];
  });
}

/** A chain's records are in one partition. */
function byPartition(records: readonly StatusRecord[]): Iterable<StatusRecord[]> {
  const partitions = new Map<number, StatusRecord[]>();
  for (const record of records) {
    const others = partitions.get(record.partition);
    if (others) others.push(record);
    else partitions.set(record.partition, [record]);
  }
  return partitions.values();
}

const HEADERS = { "content-type": "application/json" };

async function publish(
  producer: Producer,
  consumer: Consumer,
  records: readonly TurnRecord[],
  messages: readonly Message[],
  epochs: ReadonlyMap<number, number>,
): Promise<void> {
  const ends = new Map(
    messages.map(({ topic, partition, offset }) => [partition, { topic, partition, offset: offset + 1 }]),
  );
  const offsets = [...ends.values()].map((end) => ({ ...end, metadata: "", epoch: epochs.get(end.partition)! }));
  await inTransaction(producer, "publish retractions", async () => {
    for (const { topic, key, value } of records)
      await put(producer, topic, null, key, Buffer.from(JSON.stringify(value)), HEADERS);
    await producer.sendOffsets(offsets, consumer);
  });
}
