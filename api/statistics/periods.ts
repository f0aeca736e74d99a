/** Statistics of hours and days: what came in, and what was found in it, put together. */
import {
  closedHours,
  type Definition,
  hourStats,
  type Period,
  periodsOf,
  type Unit,
} from "../../clickhouse/queries/hours.ts";
import { type ArrivalRow, arrivalsQuery, type FigureRow, figuresQuery } from "../../clickhouse/queries/stats.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
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

/** The roll-ups; and what replaced blocks said is counted in the rows themselves. */
const ARRIVALS_TABLES = ["transactions_per_minute", "alerts_per_minute", "transactions", "alerts", "replaced_blocks"];

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

/** Newest first, and by chain. @param filter `since` and `until` are starts of hours, or of days */
export async function readPeriods(
  read: Read,
  moment: Moment,
  ...[filter, unit, definition]: [filter: CommonFilter, unit: Unit, definition: Definition]
): Promise<StatsRow[]> {
  const [came, { hours, rows }] = await Promise.all([
    moment.read(JSON.stringify(["arrivals", filter.chainId, filter.since, filter.until, unit]), ARRIVALS_TABLES, () =>
      read<ArrivalRow>(arrivalsQuery(filter, unit, moment.has("replaced_blocks"))),
    ),
    openHours(read, moment, scopeOf(filter)),
  ]);
  const open = hours.filter(isAsked(filter));
  const name = ["figures", filter.chainId, filter.since, filter.until, unit, definition];
  const figures = async (): Promise<readonly FigureRow[]> => {
    if (rows === undefined)
      return moment.read(JSON.stringify(name), HOURS_TABLES, () =>
        read(figuresQuery(hourStats(filter, definition, open), unit)),
      );
    const except = periodsOf(unit, open);
    const [closed, others] = await Promise.all([
      moment.read(JSON.stringify([...name, except]), ["stats_hours"], () =>
        read<FigureRow>(figuresQuery(closedHours(filter, definition, unit, except), unit)),
      ),
      open.length === 0 ? [] : openFigures(read, moment, scopeOf(filter), unit, definition),
    ]);
    return [...closed, ...others.filter(isAsked(filter))];
  };
  const unsure = periodsOf(unit, open.filter(({ final }) => final === 0)); // biome-ignore format: one line
  return putTogether(came, await figures(), new Set(unsure.map(nameOf)));
}

const nameOf = ({ chain, hour }: Period): string => `${chain} ${hour}`;

function putTogether(
  came: readonly ArrivalRow[],
  found: readonly FigureRow[],
  unsure: ReadonlySet<string>,
): StatsRow[] {
  const periods = new Map<string, { readonly period: Period; came: Came; found?: FigureRow }>();
  for (const row of came) {
    const known = periods.get(nameOf(row));
    periods.set(nameOf(row), { period: row, came: add(known?.came ?? NOTHING_CAME, row) });
  }
  for (const row of found) {
    const known = periods.get(nameOf(row));
    periods.set(nameOf(row), { period: row, came: NOTHING_CAME, ...known, found: row });
  }
  return [...periods.values()]
    .filter(({ came, found }) => came.transactions + came.alerts > 0n || hasAny(found))
    .sort(({ period: a }, { period: b }) => b.hour - a.hour || Number(a.chain) - Number(b.chain))
    .map(({ period, came, found }) => toRow(period, came, found, unsure.has(nameOf(period))));
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
  const { hour: _, ...figures } = { hour, ...NOTHING_FOUND, ...found };
  const { opportunities_detected: detected, unique_arbitrageurs: people } = figures;
  return {
    ...figures,
    ...{ chain, period: new Date(hour * 1000).toISOString().replace(".000Z", "Z"), provisional },
    transactions: String(came.transactions),
    pending: String(came.pending),
    failed: String(came.failed),
    gas_used: String(came.gas_used),
    alerts: String(came.alerts),
    capture_rate: rate(figures.opportunities_captured, detected),
    small_opp_capture_rate: rate(figures.small_opps_captured, figures.small_opportunities_count),
    avg_competition_level: detected === "0" || people === "0" ? null : Number(people) / Number(detected),
  };
}
