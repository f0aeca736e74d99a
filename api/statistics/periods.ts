/** Statistics of hours and days: what came in, and what was found in it, put together. */
import {
  closedOf,
  type Definition,
  hourStats,
  type Period,
  periodsOf,
  type Unit,
} from "../../clickhouse/queries/hours.ts";
import { type ArrivalRow, type ClosedFigureRow, type FigureRow, figuresQuery } from "../../clickhouse/queries/stats.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import type { Arrivals } from "./arrivals.ts";
import { closedPeriods, isIn, keyOf, takeClosed } from "./closedPeriods.ts";
import type { Kept, PieceName } from "./kept.ts";
import type { Moment } from "./moment.ts";
import { HOURS_TABLES, isAsked, openFigures, openHours, type Read, scopeOf } from "./openHours.ts";

/** One chain in one hour or day. Counts and USD as decimal text; rates, averages and percentiles as numbers, null where there is nothing to divide by. */
export interface StatsRow extends Omit<FigureRow, "hour"> {
  /** Start of it, RFC 3339. */
  readonly period: string;
  readonly transactions: string;
  readonly pending: string;
  readonly failed: string;
  readonly gas_used: string;
  readonly alerts: string;
  readonly capture_rate: number | null;
  readonly small_opp_capture_rate: number | null;
  readonly avg_competition_level: number | null;
  /** An hour of it has a block that its chain may still replace, with something in it that is counted here. */
  readonly provisional: boolean;
}

const NOTHING_FOUND = {
  ...{
    opportunities_detected: "0",
    opportunities_captured: "0",
    small_opportunities_count: "0",
    small_opps_captured: "0",
  },
  ...{ transactions_detected: "0", transactions_priced: "0", unique_arbitrageurs: "0", total_profit_usd: "0" },
  ...{ min: null, max: null, avg: null, median: null, p95: null, total_gas_spent_usd: "0", avg_gas_price_gwei: null },
} as const satisfies Omit<FigureRow, keyof Period>;

export type ClosedFigures = ClosedFigureRow & PieceName;

/** Newest first, and by chain. @param filter `since` and `until` are starts of hours, or of days */
export async function readPeriods(
  {
    read,
    arrivals,
    figures: kept,
  }: { readonly read: Read; readonly arrivals: Arrivals; readonly figures: Kept<ClosedFigures> },
  moment: Moment,
  ...[filter, unit, definition]: [filter: CommonFilter, unit: Unit, definition: Definition]
): Promise<StatsRow[]> {
  const [came, { hours, rows }] = await Promise.all([
    arrivals.rows(moment, filter, unit),
    openHours(read, moment, scopeOf(filter)),
  ]);
  const open = hours.filter(isAsked(filter));
  const figures = async (): Promise<readonly FigureRow[]> => {
    if (rows === undefined) {
      const name = ["figures", filter.chainId, filter.since, filter.until, unit, definition];
      return moment.read(JSON.stringify(name), HOURS_TABLES, () =>
        read(figuresQuery(hourStats(filter, definition, open), unit)),
      );
    }
    const isOpen = isIn(periodsOf(unit, open));
    const all = await closedPeriods(read, moment, scopeOf(filter), unit, definition);
    const closed = all.filter((period) => isAsked(filter)(period) && !isOpen(period));
    const [found, others] = await Promise.all([
      takeClosed(moment, kept, `${unit} ${definition}`, closed, async (some) => {
        const rows = await read<ClosedFigureRow>(figuresQuery(closedOf(definition, unit, some), unit, true));
        return rows.map((row) => ({ ...row, key: keyOf(row) }));
      }),
      open.length === 0 ? [] : openFigures(read, moment, scopeOf(filter), unit, definition),
    ]);
    return [...found, ...others.filter(isAsked(filter))];
  };
  const unsure = periodsOf(unit, open.filter(({ final }) => final === 0)); // biome-ignore format: one line
  return putTogether(came, await figures(), new Set(unsure.map(keyOf)));
}

function putTogether(
  came: readonly ArrivalRow[],
  found: readonly FigureRow[],
  unsure: ReadonlySet<string>,
): StatsRow[] {
  const periods = new Map<string, { readonly period: Period; came: Came; found?: FigureRow }>();
  for (const row of came) {
    const known = periods.get(keyOf(row));
    periods.set(keyOf(row), { period: row, came: add(known?.came ?? NOTHING_CAME, row) });
  }
  for (const row of found) {
    const known = periods.get(keyOf(row));
    periods.set(keyOf(row), { period: row, came: NOTHING_CAME, ...known, found: row });
  }
  return [...periods.values()]
    .filter(({ came, found }) => came.transactions + came.alerts > 0n || hasAny(found))
    .sort(({ period: a }, { period: b }) => b.hour - a.hour || Number(a.chain) - Number(b.chain))
    .map(({ period, came, found }) => toRow(period, came, found, unsure.has(keyOf(period))));
}

type Came = Readonly<Record<"transactions" | "pending" | "failed" | "gas_used" | "alerts", bigint>>;
const NOTHING_CAME: Came = { transactions: 0n, pending: 0n, failed: 0n, gas_used: 0n, alerts: 0n };

const add = (came: Came, row: ArrivalRow): Came => ({
  transactions: came.transactions + BigInt(row.transactions),
  pending: came.pending + BigInt(row.pending),
  failed: came.failed + BigInt(row.failed),
  gas_used: came.gas_used + BigInt(row.gas_used),
  alerts: came.alerts + BigInt(row.alerts),
});

const hasAny = (found: FigureRow | undefined): boolean =>
  found !== undefined && (found.transactions_detected !== "0" || found.opportunities_detected !== "0");

const rate = (part: string, whole: string): number | null =>
  whole === "0" ? null : (100 * Number(part)) / Number(whole);

function toRow({ chain, hour }: Period, came: Came, found: FigureRow | undefined, provisional: boolean): StatsRow {
  const figures = found ?? NOTHING_FOUND;
  const { opportunities_detected: detected, unique_arbitrageurs: people } = figures;
  // no spread: 300 hours would take 8 ms in place of 1
  return {
    chain,
    period: new Date(hour * 1000).toISOString().replace(".000Z", "Z"),
    provisional,
    transactions: String(came.transactions),
    pending: String(came.pending),
    failed: String(came.failed),
    gas_used: String(came.gas_used),
    alerts: String(came.alerts),
    opportunities_detected: detected,
    opportunities_captured: figures.opportunities_captured,
    small_opportunities_count: figures.small_opportunities_count,
    small_opps_captured: figures.small_opps_captured,
    transactions_detected: figures.transactions_detected,
    transactions_priced: figures.transactions_priced,
    unique_arbitrageurs: people,
    total_profit_usd: figures.total_profit_usd,
    min: figures.min,
    max: figures.max,
    avg: figures.avg,
    median: figures.median,
    p95: figures.p95,
    total_gas_spent_usd: figures.total_gas_spent_usd,
    avg_gas_price_gwei: figures.avg_gas_price_gwei,
    capture_rate: rate(figures.opportunities_captured, detected),
    small_opp_capture_rate: rate(figures.small_opps_captured, figures.small_opportunities_count),
    avg_competition_level: detected === "0" || people === "0" ? null : Number(people) / Number(detected),
  };
}
