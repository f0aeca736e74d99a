import type { Store } from "../client.ts";

/** What counts as which kind. */
const KINDS: Readonly<Record<string, string>> = {
  swap: "swaps",
  arbitrage: "arbitrages WHERE definition = 'cycle'",
  router_arbitrage: "arbitrages WHERE definition = 'router'",
  sandwich: "sandwiches",
  liquidation: "liquidations",
  jit: "jit_liquidity",
  attempt: "failed_attempts",
  pool_imbalance: "opportunities WHERE kind = 'pool_imbalance'",
  pending_backrun: "opportunities WHERE kind = 'pending_backrun'",
};

/** How many findings there are of each kind that has any. @param sources names as in the column `source` of the rows */
export async function countFindings(store: Store, sources: readonly string[]): Promise<Record<string, number>> {
  const counts = Object.entries(KINDS).map(([kind, table]) => {
    const condition = `${table.includes("WHERE") ? "AND" : "WHERE"} source IN {sources:Array(String)}`;
    return `SELECT '${kind}' AS kind, toFloat64(count()) AS n FROM ${table} ${condition}`;
  });
  const rows = await store.rows<{ kind: string; n: number }>(counts.join(" UNION ALL "), { sources });
  const found = new Map(rows.map(({ kind, n }) => [kind, n]));
  return Object.fromEntries(Object.keys(KINDS).flatMap((kind) => (found.get(kind) ? [[kind, found.get(kind)!]] : [])));
}
