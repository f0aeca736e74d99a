/** Who did what in closed hours: of a period whole days, and the hours at its edges. */
import { type SendersRow, sendersQuery } from "../../clickhouse/queries/arbitrageurs.ts";
import {
  closedOf,
  type Definition,
  type Period,
  periodOf,
  periodsOf,
  type Unit,
} from "../../clickhouse/queries/hours.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import { type ClosedPeriod, closedPeriods, isIn, keyOf, takeClosed } from "./closedPeriods.ts";
import { createKept, type PieceName } from "./kept.ts";
import type { Moment } from "./moment.ts";
import { isAsked, type Read, scopeOf } from "./openHours.ts";
import { createPeople, type People, type Senders, sendersOf } from "./senders.ts";

export interface ClosedSenders {
  /** @param open hours that are not to be in it @returns undefined: they are too many to keep */
  of(
    moment: Moment,
    ...[filter, definition, open, people]: [CommonFilter, Definition, open: readonly Period[], People]
  ): Promise<readonly Senders[] | undefined>;
  /** Everybody so far: for one answer the same from beginning to end. */
  people(): People;
}

/** Of an answer's hours; of Ethereum these are some 250 days. Kept they are fewer, since most come more than once a day: at most 38 MB. */
const MAX_SENDERS = 500_000;
/** Two answers' at their largest: either definition's. */
const MAX_KEPT = 2 * MAX_SENDERS;
/** More than one answer can have, open hours included; 230 bytes each. When there are more, all is read anew. */
const MAX_PEOPLE = 600_000;

export function createClosedSenders(read: Read): ClosedSenders {
  const kept = createKept<Senders & PieceName>(MAX_KEPT, ({ who }) => who.length);
  let [people, generation] = [createPeople("0"), 0];

  return {
    async of(moment, filter, definition, open, people) {
      const periodsBy = (unit: Unit) => closedPeriods(read, moment, scopeOf(filter), unit, definition);
      const [hours, days] = await Promise.all([periodsBy("hour"), periodsBy("day")]);
      const wanted = isAsked(filter);
      const [isOpen, hasOpen] = [isIn(open), isIn(periodsOf("day", open))];
      const closed = hours.filter((hour) => wanted(hour) && !isOpen(hour));
      if (closed.reduce((sum, { senders }) => sum + senders, 0) > MAX_SENDERS) return undefined;
      const whole = days.filter((day) => wanted(day) && wanted(lastHourOf(day)) && !hasOpen(day));
      const isWhole = isIn(whole);
      const edges = closed.filter((hour) => !isWhole(dayOf(hour)));
      const ofTheirDays = (some: readonly Period[]): ClosedPeriod[] => {
        const isNear = isIn(some.map(dayOf));
        return hours.filter((hour) => isNear(dayOf(hour)));
      };
      return [...(await take("day", whole)), ...(await take("hour", edges, ofTheirDays))];

      function take(
        unit: Unit,
        periods: readonly ClosedPeriod[],
        withOthers?: (missing: readonly Period[]) => ClosedPeriod[],
      ): Promise<Senders[]> {
        const named = periods.map((period) => ({ ...period, version: nameOf(period.version) }));
        const readSome = async (some: readonly ClosedPeriod[]) => {
          const rows = await read<Required<SendersRow>>(sendersQuery(closedOf(definition, unit, some), unit, true));
          return rows.map((row) => ({ ...sendersOf(row, people), key: keyOf(row), version: nameOf(row.version) }));
        };
        return takeClosed(moment, kept, `${unit} ${definition}`, named, readSome, withOthers);
      }
      function nameOf(version: string): string {
        return `${version} of people ${people.name}`;
      }
    },
    people() {
      if (people.all.length > MAX_PEOPLE) people = createPeople(String(++generation));
      return people;
    },
  };
}

const dayOf = (hour: Period): Period => periodOf("day", hour);
const lastHourOf = ({ chain, hour }: Period): Period => ({ chain, hour: hour + 82_800 });
