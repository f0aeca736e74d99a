import type { Store } from "../../clickhouse/client.ts";

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

export async function summarize(store: Store, source: string): Promise<Summary> {
  const of = "WHERE source = {source:String}";
  const [mined] = await store.rows<{ transactions: number; blocks: number }>(
    `SELECT toFloat64(count()) AS transactions, toFloat64(uniqExactIf((chain_id, block_hash), block_hash IS NOT NULL)) AS blocks
     FROM transactions ${of}`,
    { source },
  );
  const alerts = await store.rows<{ rule: string; alerts: number }>(
    `SELECT rule, toFloat64(count()) AS alerts FROM alerts ${of} GROUP BY rule ORDER BY rule`,
    { source },
  );
  const [letters] = await store.rows<{ letters: number }>(
    `SELECT toFloat64(count()) AS letters FROM dead_letters ${of}`,
    { source },
  );
  return {
    transactions: mined!.transactions,
    blocks: mined!.blocks,
    alerts: Object.fromEntries(alerts.map(({ rule, alerts: count }) => [rule, count])),
    findings: {},
    dead_letters: letters!.letters,
  };
}
