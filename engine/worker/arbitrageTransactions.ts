/**
 * A transaction may have several arbitrages, each with all of its gas and payments. What seed 002 says of an arbitrage transaction is of the
 * transaction, so it stands once more beside each of its routes: statistics and lists ask for route 0 and need not put routes together.
 */
import type { ArbitrageTransactionRow } from "../../clickhouse/tables/findings.ts";
import type { BatchBlock } from "../chain/blocks.ts";
import type { ArbitrageFinding, Finding } from "../chain/finding.ts";
import { bigAt, has, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { usdColumn } from "./usdColumn.ts";

/** Of an arbitrage: its number among those of its transaction and definition, and the columns that they share. */
export type RouteColumns = ArbitrageTransactionRow & { readonly route: number };

export function routeColumns(block: BatchBlock, findings: readonly Finding[]): Map<ArbitrageFinding, RouteColumns> {
  const groups = new Map<string, ArbitrageFinding[]>();
  for (const finding of findings) {
    if (finding.kind !== "arbitrage") continue;
    const key = `${finding.transaction} ${finding.definition}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  const columns = new Map<ArbitrageFinding, RouteColumns>();
  for (const group of groups.values()) {
    const shared = columnsOf(block, group);
    for (const [route, finding] of group.entries()) columns.set(finding, { route, ...shared });
  }
  return columns;
}

function columnsOf(block: BatchBlock, routes: readonly ArbitrageFinding[]): ArbitrageTransactionRow {
  const frame = block.frames[routes[0]!.transaction]!;
  const lengths = routes.map(({ route }) => route.length);
  const gross = sum(routes.map(({ profit }) => usdColumn(profit?.grossUsd)));
  // Gas and payments are the transaction's, and what any of its routes lost to them.
  const costs = sum([usdColumn(routes[0]!.profit?.grossUsd), negative(usdColumn(routes[0]!.profit?.netUsd))]);
  return {
    tx_swaps: lengths.reduce((total, length) => total + length, 0),
    tx_hops: Math.max(...lengths),
    tx_gas_used: has(block, frame, PRESENT.gasUsed) ? u64AsNumber(block, frame + OFFSET.gasUsed) : null,
    tx_gas_price: has(block, frame, PRESENT.effectiveGasPrice) ? bigAt(block, frame + OFFSET.effectiveGasPrice, 16) : null, // biome-ignore format: a column a line
    tx_gas_usd: usdColumn(routes[0]!.profit?.gasUsd),
    tx_gross_usd: gross,
    tx_net_usd: sum([gross, negative(costs)]),
  };
}

const negative = (amount: bigint | null): bigint | null => (amount === null ? null : -amount);

/** null if one of them is unknown. */
const sum = (amounts: readonly (bigint | null)[]): bigint | null =>
  amounts.reduce((total, amount) => (total === null || amount === null ? null : total + amount), 0n as bigint | null);
