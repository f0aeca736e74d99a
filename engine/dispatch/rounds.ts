/**
 * What is stored together: the open ranges of all lanes close as a *round*, which is one insert a table, and rounds go to the store one behind
 * the other.
 */
import { randomBytes } from "node:crypto";
import { MAX_CUTS, MAX_RANGES } from "../sink/ledger.ts";
import { LULL } from "./commitPace.ts";
import { isStorable, type Lane, openRange, type Range, type Task } from "./lane.ts";

export interface RoundLimits {
  /** Ranges close when one is so old (ms), or all of them have so many rows or bytes together. */
  readonly rangeAge: number;
  readonly rangeRows: number;
  readonly rangeBytes: number;
}

interface Member {
  readonly lane: Lane;
  readonly range: Range;
}

/** Rounds the store is given at once: an insert uses one core, and a second one hides the first one's waiting. */
export const MAX_STORING = 2;
/** Rounds that wait for the store or are on their way to it: one more, so that it never waits for the next. */
const MAX_WAITING = MAX_STORING + 1;
/** Worth an insert of their own when nothing more comes. Should more come all the same, it is one insert more in a range's age. */
const ROWS_IN_A_LULL = 2_000;

export const isOpen = (range: Range): boolean => range.round === undefined;

/** Closed, and ready for the store or soon so. One that a replay has yet to fill does not keep others from closing. */
const isWaiting = (range: Range): boolean => !isOpen(range) && range.filled === range.cuts.length;

/** The store is ready for more. */
const isReady = (lanes: readonly Lane[]): boolean =>
  new Set(lanes.flatMap(({ ranges }) => ranges.filter(isWaiting)).map(({ round }) => round)).size < MAX_WAITING;

const sum = (open: readonly Member[], of: "rows" | "bytes"): number =>
  open.reduce((total, { range }) => total + range[of], 0);

const newRound = (): string => randomBytes(8).toString("hex");

export function createRounds(limits: RoundLimits) {
  let closedInLull = -Infinity;

  const isFull = (range: Range): boolean =>
    range.rows >= limits.rangeRows || range.bytes >= limits.rangeBytes || range.cuts.length >= MAX_CUTS;

  /** The oldest is of age, or all of it large enough. */
  const isDue = (open: readonly Member[], now: number): boolean =>
    open.some(({ range }) => now - range.openedAt >= limits.rangeAge) ||
    sum(open, "rows") >= limits.rangeRows ||
    sum(open, "bytes") >= limits.rangeBytes;

  /** The load has ended. */
  const isLull = (open: readonly Member[], now: number, quietSince: number): boolean =>
    now >= Math.max(quietSince + LULL, closedInLull + limits.rangeAge) && sum(open, "rows") >= ROWS_IN_A_LULL;

  return {
    /** The lane's open range, or a new one where it is full or belongs to other versions; undefined while too many wait for the store. */
    rangeFor(lane: Lane, { catalogue, world }: Pick<Task, "catalogue" | "world">, now: number): Range | undefined {
      const last = lane.ranges.at(-1);
      if (last && isOpen(last)) {
        if (last.catalogue === catalogue && last.world === world && !isFull(last)) return last;
        last.round = newRound();
      }
      if (lane.ranges.length >= MAX_RANGES) return undefined;
      const range = openRange(
        last?.cuts.at(-1) ?? lane.storedTo,
        { cuts: [], round: undefined, catalogue, world },
        now,
      );
      lane.ranges.push(range);
      return range;
    },

    /**
     * Closes what is open, of all lanes together, when the oldest is of age or all of it large enough, and the store is ready for
     * more: an insert of 2,000 rows costs it 32 µs a row, one of 16,000 rows 10, one of 30,000 rows 8, and one lane has few. Once the load has
     * ended, fewer are enough.
     * A range must be whole: a replayed one first gets back what it had.
     * @param now ms, monotonic  @param quietSince when nothing is under way, since when
     */
    close(lanes: readonly Lane[], now: number, quietSince = Number.POSITIVE_INFINITY): void {
      const open = lanes.flatMap((lane) => {
        const range = lane.ranges.at(-1);
        const whole = range && isOpen(range) && range.cuts.length > 0 && range.filled === range.cuts.length;
        return whole ? [{ lane, range }] : [];
      });
      const ready = isReady(lanes);
      const due = ready && isDue(open, now);
      const lulled = ready && !due && isLull(open, now, quietSince);
      if (lulled) closedInLull = now;
      let round = newRound();
      /** Of ranges from before a restart: under the others' name they would be taken for them, or they for these. */
      const recovered = newRound();
      let bytes = 0;
      for (const { lane, range } of open) {
        if (lane.draining ? lane.tasks.length > 0 : !due && !lulled && !isFull(range)) continue;
        if (range.recovered) {
          range.round = recovered;
          continue;
        }
        range.round = round;
        bytes += range.bytes;
        if (bytes < limits.rangeBytes) continue;
        round = newRound(); // more than the store should take at once gathers while it is away
        bytes = 0;
      }
    },

    /**
     * Ranges of one round, each the first of its lane; none when there is no such. Of a lane one is stored at a time, since mending a roll-up after
     * an unclean stop must not meet another insert into it.
     */
    next(lanes: readonly Lane[]): Member[] {
      const all = lanes.flatMap((lane) => lane.ranges.map((range) => ({ lane, range })));
      const isNext = ({ lane, range }: Member): boolean =>
        range === lane.ranges[0] && !lane.storing && isStorable(range);
      for (const first of all.filter(isNext)) {
        const members = all.filter(({ range }) => range.round === first.range.round);
        if (members.every(isNext)) return members;
      }
      return [];
    },
  };
}
