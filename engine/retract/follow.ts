/**
 * Takes back what replaced blocks said. A chain's watcher says on `block_status` which blocks were mined and which were replaced; of those we tell
 * the readers of our topics which alerts do not hold any more, and the store, so that everything read from it says so.
 *
 *     block_status ──▶ replaced_blocks, chain_heads ──▶ wait until the block's rows are stored ──▶ alerts, mev_bundles, arbitrage-*
 *
 * The retractions and the position on `block_status` are one Kafka transaction: a reader of committed records sees each once. Of all engines of
 * a group one does it, as Kafka assigns the partition.
 */
import type { Store } from "../../clickhouse/client.ts";
import type { Admin } from "../kafka/admin.ts";
import { byPartition, type FollowSession, followTopic, type Handled, JSON_HEADERS, type OutputRecord } from "../kafka/followTopic.ts"; // biome-ignore format: one import
import type { Message } from "../kafka/message.ts";
import type { Config } from "../ops/config.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
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

const WAIT_MS = 600_000;

/** Runs until the signal aborts; whatever is away is waited for. @throws what only a person can mend */
export function followBlockStatus(options: RetractOptions): Promise<void> {
  const { config, store, log, metrics, signal, waitMs = WAIT_MS } = options;
  const { groupId, topics } = config.kafka;

  async function handle(messages: readonly Message[], session: FollowSession): Promise<Handled> {
    const turns: Turn[] = [];
    for (const records of byPartition(readAll(messages, log)).values()) // a chain's are in one partition
      turns.push(...(await putStatuses(store, records, config.nodes.reorgDepth)));
    for (const turn of turns) await openHours(store, turn);
    for (const turn of turns) await untilStored(session, turn);
    const records = (await Promise.all(turns.map(recordsOf))).flat();
    return {
      records,
      count() {
        for (const { replaced } of turns) metrics.blockTurns.inc({ turn: replaced ? "replaced" : "back" });
        metrics.retractions.inc(records.length);
      },
    };
  }

  /**
   * The engine may still be on its way to what was replaced: its alerts can be named when they are stored. They are when the block's transactions
   * are, and the ledger says so: a round's tables are inserted one after the other.
   */
  async function untilStored({ admin, wait }: FollowSession, turn: Turn): Promise<void> {
    if (await wait(() => isStored(admin, turn), waitMs)) return;
    const facts = { event: "retraction_incomplete", chain: turn.chainId, block: turn.number, hash: turn.hash };
    log.warn(facts, "A replaced block is not whole in the store; what is there is retracted");
  }

  async function isStored(admin: Admin, turn: Turn): Promise<boolean> {
    const place = await placeOf(store, topics.txRaw, turn);
    if (!place?.isWhole) return false;
    const [committed] = await admin.committed(groupId, [{ topic: topics.txRaw, partition: place.partition }]);
    const { offset, metadata } = committed!;
    if (offset === null) return false;
    return place.offset < (metadata === "" ? offset : decodeLedger(metadata, offset).stored);
  }

  async function recordsOf(turn: Turn): Promise<OutputRecord[]> {
    const { chainId: chain_id, number: block_number, hash: block_hash, replaced } = turn;
    const status = replaced ? "retracted" : "provisional";
    const block = { chain_id, block_number, block_hash };
    const alerts = (await alertsOf(store, turn)).map((alert) =>
      record(topics.alerts, `${chain_id}:${alert.tx_hash}`, { ...alert, status, ...block }),
    );
    const findings = [
      topics.mevBundles,
      topics.arbitrageTransactions,
      topics.arbitrageOpportunities,
      ...(topics.riskMetrics === undefined ? [] : [topics.riskMetrics]),
    ].map((topic) => record(topic, String(chain_id), { kind: "block", status, ...block }));
    return [...alerts, ...findings];
  }

  return followTopic({ config, topic: topics.blockStatus, name: "retractions", handle, log, metrics, signal });
}

const record = (topic: string, key: string, value: object): OutputRecord => ({
  ...{ topic, key, value: Buffer.from(JSON.stringify(value)), headers: JSON_HEADERS },
});

function readAll(messages: readonly Message[], log: Log): StatusRecord[] {
  return messages.flatMap((message) => {
    const read = readStatus(message);
    if (typeof read !== "string") return [read];
    log.error({ event: "block_status_refused", reason: read }, "A record of block_status says nothing of a block");
    return [];
  });
}
