/**
 * Live events from the engine of this process, where there is no Kafka: it replays recordings. A lane is a recording's partition, `at` is
 * [offset, n, k], k counting the events of a transaction. What the hub does not have any more the store has.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AlertRow } from "../../clickhouse/queries/alerts.ts";
import { readHistory } from "../../clickhouse/queries/history.ts";
import type { TransactionRow } from "../../clickhouse/queries/transactions.ts";
import type { Published, PublishedTap } from "../../engine/dispatch/publishedTap.ts";
import type { Log } from "../../engine/ops/log.ts";
import type { OutputTopic } from "../../engine/worker/outcome.ts";
import { unpackRecords } from "../../engine/worker/topicRecords.ts";
import type { ReadableStore } from "../deps.ts";
import type { MessageReader } from "../labelledMessages.ts";
import { READ_SETTINGS } from "../list.ts";
import { toAlert } from "../routes/alerts.ts";
import { toTransaction } from "../routes/transactions.ts";
import { createEvent, type LiveEvent, type Place } from "./event.ts";
import { type Feed, gapEvent } from "./feed.ts";
import type { Hub } from "./hub.ts";
import { compareAt } from "./positions.ts";
import { createTopicEvents, type TopicChannel, type TopicValue } from "./topicEvents.ts";
import { createTransactionEvents, liveTransaction } from "./transactionEvents.ts";

export interface EngineFeedOptions {
  readonly tap: PublishedTap;
  readonly store: ReadableStore;
  /** Chain ids; transactions of others are no events. */
  readonly chains: readonly number[];
  readonly read: MessageReader;
  readonly log: Log;
  readonly now?: () => number;
}

const CHANNEL_OF: Readonly<Partial<Record<OutputTopic, TopicChannel>>> = {
  alerts: "alerts",
  "arbitrage-transactions": "arbitrages",
  "arbitrage-opportunities": "opportunities",
  mev_bundles: "mev_opportunities",
};
const PAGE = 1_000;
/** What was published is stored within seconds. */
const STORE_LAG_MS = 30_000;
const LOOK_MS = 100;

export function createEngineFeed({ tap, store, chains, read, log, now = Date.now }: EngineFeedOptions): Feed {
  const refused = ({ place }: TopicValue, error: Error): void =>
    log.error({ event: "live_record_refused", ...place, err: error }, "A record of ours could not be read");
  const topicEvents = createTopicEvents({ read, now, mined: "confirmed", onRefused: refused });
  const transactionEvents = createTransactionEvents({ chains });
  /** Waiting for labels, by channel, in order; all that have come meanwhile are done together. */
  let waiting = new Map<TopicChannel, TopicValue[]>();
  let working: Promise<void> | undefined;
  let stop = (): void => {};

  function take(hub: Hub, outcomes: Published): void {
    for (const { batch, outcome } of outcomes) {
      const lane = `${batch.source}/${batch.partition}`;
      if (hub.isWanted("transactions"))
        hub.publish(transactionEvents(batch, now(), (offset, n) => ({ lane, at: [offset, n, 0] })));
      for (const [channel, values] of valuesOf(outcome.records, lane))
        waiting.set(channel, [...(waiting.get(channel) ?? []), ...values]);
    }
    working ??= work(hub).finally(() => {
      working = undefined;
    });
  }

  async function work(hub: Hub): Promise<void> {
    while (waiting.size > 0) {
      const values = waiting;
      waiting = new Map();
      for (const [channel, some] of values) hub.publish(await topicEvents(channel, some));
    }
  }

  async function* lane(
    channel: "alerts" | "transactions",
    name: string,
    after: readonly number[],
    until: readonly number[] | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LiveEvent[]> {
    const slash = name.lastIndexOf("/");
    const [source, partition] = [name.slice(0, slash), Number(name.slice(slash + 1))];
    if (!Number.isInteger(partition) || partition < 0 || partition > 65_535) return;
    let at: readonly [number, number, number] = [after[0] ?? -1, after[1] ?? -1, after[2] ?? -1];
    for (const deadline = performance.now() + STORE_LAG_MS; !signal.aborted; ) {
      const page = { table: channel, source, partition, after: at, limit: PAGE };
      const rows = await readHistory<AlertRow & TransactionRow>(store, page, READ_SETTINGS);
      const places = rows.map(({ offset, n, k }): Place => ({ lane: name, at: [Number(offset), n, k] }));
      if (rows.length > 0) {
        yield await (channel === "alerts" ? storedAlerts(rows, places) : storedTransactions(rows, places));
        at = places.at(-1)!.at as [number, number, number];
      }
      if (rows.length === PAGE) continue;
      if (until === undefined || compareAt(at, until) >= 0) return;
      if (performance.now() > deadline) throw new Error(`Cannot go on with ${name}: ${until.join(".")} was published and is not stored`); // biome-ignore format: one line
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  async function storedAlerts(
    rows: readonly (AlertRow & { k: number })[],
    places: readonly Place[],
  ): Promise<LiveEvent[]> {
    const messages = await read(rows.map(({ chain_id, message }) => ({ chainId: Number(chain_id), message })));
    return rows.map(({ k: _, ...row }, i) =>
      createEvent({ channel: "alerts", type: "alert", data: toAlert(row, messages[i]!), now: now(), place: places[i] }),
    );
  }

  const storedTransactions = (rows: readonly TransactionRow[], places: readonly Place[]): LiveEvent[] =>
    rows.map((row, i) => {
      const data = liveTransaction(toTransaction(row));
      return createEvent({ channel: "transactions", type: "transaction", data, now: now(), place: places[i] });
    });

  return {
    start(hub) {
      stop = tap.listen((outcomes) => take(hub, outcomes));
    },
    async *history(channel, after, until, signal) {
      if (channel !== "alerts" && channel !== "transactions") {
        yield [gapEvent(channel, `Some of ${channel} are gone from memory: GET /api/v1 has what was stored`, now())];
        return;
      }
      for (const name of new Set([...after.keys(), ...until.keys()]))
        yield* lane(channel, name, after.get(name) ?? [], until.get(name), signal);
    },
    async close() {
      stop();
      await working;
    },
  };
}

/** An outcome's records by channel, as the store orders the rows of a transaction. */
function valuesOf(records: Published[number]["outcome"]["records"], lane: string): Map<TopicChannel, TopicValue[]> {
  const channels = new Map<TopicChannel, { value: Buffer; key: SortKey }[]>();
  for (const { topic, value } of unpackRecords(records)) {
    const channel = CHANNEL_OF[topic];
    if (channel === undefined) continue;
    const entry = { value: Buffer.from(value), key: keyOf(value) }; // a copy: the outcome's memory goes on
    const others = channels.get(channel);
    if (others) others.push(entry);
    else channels.set(channel, [entry]);
  }
  return new Map([...channels].map(([channel, entries]) => [channel, placed(entries, lane)]));
}

/** offset, n, rule, ordinal; of findings the kind and its place in the block instead. */
type SortKey = readonly [number, number, string, number];

function keyOf(value: Buffer): SortKey {
  const { source, rule, ordinal, kind, definition, log_index } = JSON.parse(value.toString()) as {
    source: { offset: number; n: number };
    rule?: string;
    ordinal?: number;
    kind?: string;
    definition?: string;
    log_index?: number;
  };
  return [source.offset, source.n, rule ?? `${kind} ${definition}`, ordinal ?? log_index ?? 0];
}

function placed(entries: { readonly value: Buffer; readonly key: SortKey }[], lane: string): TopicValue[] {
  entries.sort(({ key: a }, { key: b }) => a[0] - b[0] || a[1] - b[1] || Buffer.compare(Buffer.from(a[2]), Buffer.from(b[2])) || a[3] - b[3]); // biome-ignore format: one line
  let k = 0;
  return entries.map(({ value, key: [offset, n] }, i) => {
    const before = entries[i - 1]?.key;
    k = before?.[0] === offset && before[1] === n ? k + 1 : 0;
    return { value, place: { lane, at: [offset, n, k] } };
  });
}
