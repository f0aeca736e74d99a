import type { Store } from "../../clickhouse/client.ts";
import { countFindings } from "../../clickhouse/queries/findings.ts";

/** The contract's summary of a run, counted in the store: what is there, not what we believe we did. */
export interface Summary {
  readonly transactions: number;
  readonly blocks: number;
  /** by rule */
  readonly alerts: Readonly<Record<string, number>>;
  /** by kind */
  readonly findings: Readonly<Record<string, number>>;
  readonly dead_letters: number;
}

/** @param sources names as in the column `source` of the rows */
export async function summarize(store: Store, sources: readonly string[]): Promise<Summary> {
  const of = "WHERE source IN {sources:Array(String)}";
  const [mined] = await store.rows<{ transactions: number; blocks: number }>(
    `SELECT toFloat64(count()) AS transactions, toFloat64(uniqExactIf((chain_id, block_hash), block_hash IS NOT NULL)) AS blocks
     FROM transactions ${of}`,
    { sources },
  );
  const alerts = await store.rows<{ rule: string; alerts: number }>(
    `SELECT rule, toFloat64(count()) AS alerts FROM alerts ${of} GROUP BY rule ORDER BY rule`,
    { sources },
  );
  const [letters] = await store.rows<{ letters: number }>(
    `SELECT toFloat64(count()) AS letters FROM dead_letters ${of}`,
    { sources },
  );
  return {
    transactions: mined!.transactions,
    blocks: mined!.blocks,
    alerts: Object.fromEntries(alerts.map(({ rule, alerts: count }) => [rule, count])),
    findings: await countFindings(store, sources),
    dead_letters: letters!.letters,
  };
}
