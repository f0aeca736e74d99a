/**
 * ClickHouse by itself: its Kafka engine, and a materialised view that joins each block with the rules' thresholds. ASOF JOIN gives the
 * last threshold below a value, whose rank is how many there are: matches are counted, and by which rule is not known.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../clickhouse/client.ts";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { quoteText } from "../../clickhouse/quote.ts";
import type { JsonRule } from "../load/ruleMix.ts";
import { storeCpu } from "../storage/stopwatch.ts";
import { indexLine } from "./indexLine.ts";
import type { KafkaPeer, PeerJob, Progress, RunningPeer } from "./kafkaPeer.ts";

const LOOK_MS = 50;
/** The embedded store ends when nobody has used it for a minute, and its consumers with it. */
const ALIVE_MS = 20_000;

export const clickhousePeer = (rules: readonly JsonRule[]): KafkaPeer => ({
  name: "ClickHouse (chDB), Kafka engine and materialised view",
  start: (job) => startClickhouse(rules, job),
});

async function startClickhouse(rules: readonly JsonRule[], job: PeerJob): Promise<RunningPeer> {
  const folder = await mkdtemp(join(tmpdir(), "weir-clickhouse-"));
  const store = await openStore({ folder, database: "peer" });
  await store.createDatabase();
  for (const statement of statementsOf(rules, job)) await store.command(statement);
  const cpu = await storeCpu(folder);
  const alive = setInterval(() => void store.ping().catch(() => {}), ALIVE_MS);
  const progress = async (): Promise<Progress> => {
    const [row] = await store.rows<{ transactions: string; matches: string }>(
      "SELECT sum(transactions) AS transactions, sum(matches) AS matches FROM counts",
    );
    return { transactions: Number(row!.transactions), matches: Number(row!.matches) };
  };
  return {
    async until(transactions, seconds) {
      const deadline = performance.now() + seconds * 1_000;
      for (;;) {
        const now = await progress();
        if (now.transactions >= transactions) return now;
        if (performance.now() > deadline)
          throw new Error(`Cannot wait any longer for ClickHouse: ${now.transactions} transactions after ${seconds} s, expected ${transactions}`); // biome-ignore format: one line
        await sleep(LOOK_MS);
      }
    },
    counts: async () => undefined,
    cpu,
    async stop() {
      clearInterval(alive);
      await store.command("DROP TABLE counted");
      await store.command("DROP TABLE queue");
      await store.close();
      await stopEmbedded(folder);
      await rm(folder, { recursive: true });
    },
  };
}

/** Of one shape by its key, with the rank of each threshold. */
const thresholds = (
  table: string,
  shape: string,
): string => `CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (key, above) AS
  SELECT key, above, max(rank) AS rank FROM
    (SELECT key, above, row_number() OVER (PARTITION BY key ORDER BY above) AS rank FROM rules WHERE shape = '${shape}')
  GROUP BY key, above`;
const quantity = (name: string): string =>
  `reinterpretAsUInt64(reverse(unhex(leftPad(substring(${name}, 3), 16, '0'))))`;

function statementsOf(rules: readonly JsonRule[], { brokers, topic, group, threads }: PeerJob): string[] {
  const rows = rules.map((rule) => {
    const [shape, ...parts] = indexLine(rule).split("\t");
    return `(${quoteText(shape!)}, ${quoteText(parts.slice(0, -1).join(" "))}, ${parts.at(-1)})`;
  });
  return [
    "CREATE TABLE rules (shape String, key String, above UInt64) ENGINE = MergeTree ORDER BY (shape, key)",
    `INSERT INTO rules VALUES ${rows.join(", ")}`,
    thresholds("by_to", "to"),
    thresholds("by_selector", "selector"),
    thresholds("by_from", "from"),
    "CREATE TABLE counts (transactions UInt64, matches UInt64) ENGINE = MergeTree ORDER BY ()",
    `CREATE TABLE queue (chainId UInt32, \`from\` String, \`to\` String, input String, value String, gasPrice String) ENGINE = Kafka
     SETTINGS kafka_broker_list = ${quoteText(brokers)}, kafka_topic_list = ${quoteText(topic)}, kafka_group_name = ${quoteText(group)},
       kafka_format = 'JSONEachRow', kafka_num_consumers = ${threads}, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536,
       kafka_poll_max_batch_size = 65536, kafka_flush_interval_ms = 200`,
    `CREATE MATERIALIZED VIEW counted TO counts AS
     SELECT count() AS transactions, sum(by_to.rank + by_selector.rank + by_from.rank) AS matches
     FROM (SELECT concat(toString(chainId), ' ', \`to\`) AS recipient, substring(input, 1, 10) AS selector, \`from\` AS sender,
             ${quantity("value")} AS amount, ${quantity("gasPrice")} AS price FROM queue) AS t
     ASOF LEFT JOIN by_to ON t.recipient = by_to.key AND t.amount > by_to.above
     ASOF LEFT JOIN by_selector ON t.selector = by_selector.key AND t.price > by_selector.above
     ASOF LEFT JOIN by_from ON t.sender = by_from.key AND t.amount > by_from.above`,
  ];
}
