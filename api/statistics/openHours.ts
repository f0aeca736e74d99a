/** The hours that are not closed, computed once for all who ask until their tables change. */

import { type SendersRow, sendersQuery } from "../../clickhouse/queries/arbitrageurs.ts";
import {
  type Definition,
  type OpenHour,
  type OpenRow,
  openHoursQuery,
  openPeriods,
  openRowsQuery,
  type Period,
  type Unit,
} from "../../clickhouse/queries/hours.ts";
import { type FigureRow, figuresQuery } from "../../clickhouse/queries/stats.ts";
import type { CommonFilter, Query } from "../../clickhouse/queries/types.ts";
import type { Moment } from "./moment.ts";
import { type People, type Senders, sendersOf } from "./senders.ts";

/** clickhouse/queries/hours.ts */
export const HOURS_TABLES = [
  ...["arbitrages", "failed_attempts", "opportunities", "opportunity_captures"],
  ...["stats_hours", "replaced_blocks", "chain_heads"],
] as const;

export interface OpenHours {
  readonly hours: readonly OpenHour[];
  /** What they come to; undefined: they are too many to compute more of them than an answer needs. */
  readonly rows?: readonly OpenRow[] | undefined;
}

export type Read = <T>(query: Query) => Promise<T[]>;

/** Live, these are the last hour or two of each chain. */
const MAX_HOURS = 100;
/** Text of all rows, about 170 bytes for each who did something in an hour; what is asked of them carries it. */
const MAX_TEXT = 4 << 20;
const SCOPE_MS = 32 * 86_400_000;

/** From when on: of all history there is more to look through, and what is asked for is mostly of the last days. */
export const scopeOf = ({ since }: CommonFilter): Date | undefined =>
  since && new Date(Math.floor(since.getTime() / SCOPE_MS) * SCOPE_MS);

/** Hours of all chains from `since` on. */
export async function openHours(read: Read, moment: Moment, since: Date | undefined): Promise<OpenHours> {
  const [open] = await moment.read<OpenHours>(`open hours ${since?.getTime()}`, HOURS_TABLES, async () => {
    const hours = await read<OpenHour>(openHoursQuery({ since }));
    if (hours.length === 0) return [{ hours, rows: [] }];
    if (hours.length > MAX_HOURS) return [{ hours }];
    const rows = await read<OpenRow>(openRowsQuery(hours));
    const text = rows.reduce((sum, { row }) => sum + row.length, 0);
    return [{ hours, ...(text <= MAX_TEXT && { rows }) }];
  });
  return open!;
}

/** Whether an hour, or a day of whole ones, is asked for. */
export const isAsked =
  ({ chainId, since, until }: CommonFilter) =>
  ({ chain, hour }: Period): boolean =>
    (chainId === undefined || Number(chain) === chainId) &&
    (since === undefined || hour * 1000 >= since.getTime()) &&
    (until === undefined || hour * 1000 < until.getTime());

/** Of the hours or days in which an hour is open. */
export async function openFigures(
  read: Read,
  moment: Moment,
  ...[since, unit, definition]: [since: Date | undefined, unit: Unit, definition: Definition]
): Promise<readonly FigureRow[]> {
  const { rows = [] } = await openHours(read, moment, since);
  const mine = rows.filter((row) => row.definition === definition);
  if (mine.length === 0) return [];
  return moment.read(`open figures ${since?.getTime()} ${unit} ${definition}`, HOURS_TABLES, () =>
    read<FigureRow>(figuresQuery(openPeriods(definition, unit, mine), unit)),
  );
}

/** Who did something in an open hour, by hour. */
export async function openSenders(
  read: Read,
  moment: Moment,
  ...[since, definition, people]: [since: Date | undefined, definition: Definition, people: People]
): Promise<readonly Senders[]> {
  const { rows = [] } = await openHours(read, moment, since);
  const mine = rows.filter((row) => row.definition === definition);
  if (mine.length === 0) return [];
  return moment.read(`open senders ${since?.getTime()} ${definition} ${people.name}`, HOURS_TABLES, async () => {
    const found = await read<SendersRow>(sendersQuery(openPeriods(definition, "hour", mine), "hour", false));
    return found.map((row) => sendersOf(row, people));
  });
}
