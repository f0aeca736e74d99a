/**
 * Arbitrageurs by what they come to. What each did by hour and day is kept in columns of numbers (senders.ts), and added up for the period that is
 * asked for: whole closed days, what is left of closed hours, open hours. Where that would be too much to keep, the store adds up.
 */
import { type RankedRow, type Ranking, rankedQuery } from "../../clickhouse/queries/arbitrageurs.ts";
import { type Definition, hourStats } from "../../clickhouse/queries/hours.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import type { ClosedSenders } from "./closedSenders.ts";
import type { Moment } from "./moment.ts";
import { HOURS_TABLES, isAsked, openHours, openSenders, type Read, scopeOf } from "./openHours.ts";
import { profileOf } from "./profile.ts";
import { type Leaders, type LeadersPage, rank } from "./rank.ts";
import { sumUp } from "./senders.ts";

type Asked = readonly [filter: CommonFilter, definition: Definition, ranking: Ranking, page: LeadersPage];

/** @param filter whole hours */
export async function readLeaders(
  read: Read,
  closed: ClosedSenders,
  moment: Moment,
  ...asked: Asked
): Promise<Leaders> {
  const name = JSON.stringify(["leaders", asked]);
  const make = () => putTogether(read, closed, moment, ...asked);
  return moment.make(name, HOURS_TABLES, make, ({ profiles }) => profiles.length);
}

async function putTogether(
  read: Read,
  closed: ClosedSenders,
  moment: Moment,
  ...[filter, definition, ranking, page]: Asked
): Promise<Leaders> {
  const since = scopeOf(filter);
  const { hours, rows } = await openHours(read, moment, since);
  const open = hours.filter(isAsked(filter));
  const people = closed.people();
  const periods = rows && (await closed.of(moment, filter, definition, open, people));
  if (periods === undefined) {
    const most = page.offset + page.limit;
    const name = JSON.stringify(["ranked", filter, definition, ranking, most]);
    const found = await moment.read(name, HOURS_TABLES, () =>
      read<RankedRow>(rankedQuery(hourStats(filter, definition, open), ranking, most)),
    );
    return { profiles: found.slice(page.offset).map(profileOf), total: Number(found[0]?.total ?? 0) };
  }
  const others = open.length === 0 ? [] : await openSenders(read, moment, since, definition, people);
  return rank(sumUp([...periods, ...others.filter(isAsked(filter))], people), people, ranking, page);
}
