/** What the machine gives at most: librdkafka only consuming, the bytes only copied, ClickHouse only inserting them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../../clickhouse/client.ts";
import { stopEmbedded } from "../../../clickhouse/embedded/open.ts";
import { quoteText } from "../../../clickhouse/quote.ts";
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { figure } from "../../figure.ts";
import { consumeWithKcat, findKcat } from "../../peers/kcat.ts";
import type { Context, Figure } from "../../scenario.ts";
import { millisecondsOf } from "../../storage/stopwatch.ts";

/** Records of a batch, as the engine has by default. */
const BATCH = 4_096;
/** What is copied or inserted in a run. */
const TRANSACTIONS = 100_000;
const FIELDS =
  "chainId UInt32, hash String, `from` String, `to` String, nonce String, value String, gas String, gasPrice String, " +
  "maxFeePerGas String, maxPriorityFeePerGas String, type String, input String, seenAt UInt64";

/** @param topic one that a peer has read; without one kcat is left out */
export async function measureLimits(
  brokers: string,
  topic: string | undefined,
  lines: readonly string[],
  context: Context,
): Promise<Figure[]> {
  const load = `${Math.round(lines.reduce((sum, { length }) => sum + length, 0) / lines.length)} B, no rules`;
  const times = Math.ceil(TRANSACTIONS / lines.length);
  const all = Array.from({ length: times }, () => lines).flat();
  return [
    ...(topic === undefined ? [] : await consuming(brokers, topic, context)),
    copying(all, context.runs),
    await inserting(all, context.runs),
  ].map((each) => ({ ...each, load }));
}

async function consuming(brokers: string, topic: string, { runs, say }: Context): Promise<Figure[]> {
  const kcat = findKcat();
  if (kcat === undefined) {
    say("kcat is not installed: its rate is left out (Debian: apt-get install kcat)");
    return [];
  }
  const admin = await createAdmin({ brokers });
  const marks = await admin.watermarks(topic);
  await admin.close();
  const most = Math.floor(marks.reduce((sum, { high, low }) => sum + high - low, 0) * 0.9); // the rest may be markers
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) rates.push(most / (await consumeWithKcat(kcat, brokers, topic, most)));
  return [figure("limit: kcat only consuming", "tx/s", rates)];
}

/** Batch after batch into the same place, as a batch is put together. */
function copying(lines: readonly string[], runs: number): Figure {
  const batches: Buffer[] = [];
  for (let from = 0; from < lines.length; from += BATCH) batches.push(Buffer.from(lines.slice(from, from + BATCH).join("\n"))); // biome-ignore format: one line
  const to = Buffer.alloc(Math.max(...batches.map(({ length }) => length)));
  const pass = (): number => {
    const began = performance.now();
    for (const batch of batches) batch.copy(to);
    return (1_000 * lines.length) / (performance.now() - began);
  };
  pass();
  return figure("limit: memcpy of the batch", "tx/s", Array.from({ length: runs }, pass));
}

async function inserting(lines: readonly string[], runs: number): Promise<Figure> {
  const folder = await mkdtemp(join(tmpdir(), "weir-limit-"));
  const store = await openStore({ folder: join(folder, "clickhouse"), database: "limits" });
  try {
    const file = join(folder, "transactions.ndjson");
    await writeFile(file, lines.join("\n"));
    await store.createDatabase();
    await store.command(`CREATE TABLE transactions (${FIELDS}) ENGINE = MergeTree ORDER BY seenAt`);
    const insert = (): Promise<void> =>
      store.command(`INSERT INTO transactions SELECT * FROM file(${quoteText(file)}, 'JSONEachRow', ${quoteText(FIELDS)})`); // biome-ignore format: one line
    await insert();
    const rates: number[] = [];
    for (let run = 0; run < runs; run++) rates.push((1_000 * lines.length) / (await millisecondsOf(insert)));
    return figure("limit: INSERT … SELECT of the JSON by ClickHouse", "tx/s", rates);
  } finally {
    await store.close();
    await stopEmbedded(join(folder, "clickhouse"));
    await rm(folder, { recursive: true });
  }
}
