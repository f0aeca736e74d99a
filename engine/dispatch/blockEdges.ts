/**
 * Where a lane's queue may be cut: not within a block, so that a worker sees its transactions together.
 *
 *     records   p  p  A  A  p  A  B  B  C  p  C  D …      p: pending; A has three transactions, B two, C two, D is not whole yet
 *     spans           └────────┘  └──┘  └─────┘  └─ open
 *
 * A span is a stretch in which some block is open: it is cut before or after it. With two chains in one partition blocks lie across each
 * other, and spans are longer. The last one is open until all transactions of its blocks are here, or they are waited for no more.
 */
import { peekBlocks } from "../source/peekBlock.ts";
import { contentAt, looksAt, offsetAt, type Records, valueAt } from "../source/records.ts";

/** In a span at most: what a worker takes at once, then. */
export const MAX_BLOCK_RECORDS = 65_536;
/** Blocks that are over, which a record that is late, or delivered twice, must not open again. */
const REMEMBERED = 1_024;
/** After a span that did not become whole the next is waited for half as long, down to 1/1,024: 30 s to 30 ms. */
const MAX_MISSES = 10;

interface Span {
  /** Offset of its first record. */
  readonly from: number;
  /** Offset after its last record; undefined while it is open. */
  to: number | undefined;
  records: number;
  /** When it was opened, or the lane was last resumed: what we do not read cannot come. */
  since: number;
}

/** A block of which some transactions are here. */
interface OpenBlock {
  readonly count: number;
  /** Their places in the block: a record that is delivered twice counts once. */
  readonly seen: Set<number>;
}

export interface BlockEdges {
  /** The next records of the queue. @param now ms, monotonic */
  add(records: Records, now: number): void;
  /**
   * Where a batch ends that begins with the record at `first` and would end before `to`: there, or before the span that this lies in; or, when
   * the batch begins with that span, behind it. undefined: it is open, so wait.
   */
  end(first: number, to: number): number | undefined;
  /** The open span begins with the record at `first`: nothing can be taken before it is whole. */
  isHeld(first: number): boolean;
  /** It has been waited for long enough. @param wait ms, for the first that does not become whole */
  isOverdue(now: number, wait: number): boolean;
  /** No record that is still to come belongs to a block that is open: it is processed as it is. */
  giveUp(): void;
  /** The lane was paused until now. */
  resume(now: number): void;
}

export function createBlockEdges(): BlockEdges {
  const open = new Map<number, OpenBlock>();
  const over = new Set<number>();
  let spans: Span[] = [];
  /** Offset after the last record. */
  let end = 0;
  /** Spans that were given up, less those that became whole. */
  let misses = 0;

  const close = (block: number): void => {
    open.delete(block);
    over.add(block);
    if (over.size > REMEMBERED) for (const oldest of over) return void over.delete(oldest);
  };

  const member = (block: number, index: number, count: number): void => {
    let found = open.get(block);
    if (!found) {
      if (over.has(block)) return;
      open.set(block, (found = { count, seen: new Set() }));
    }
    found.seen.add(index);
    if (found.seen.size >= found.count) close(block);
  };

  const openSpan = (): Span | undefined => {
    const last = spans.at(-1);
    return last?.to === undefined ? last : undefined;
  };

  const giveUp = (): void => {
    const span = openSpan();
    if (!span) return;
    misses = Math.min(MAX_MISSES, misses + 1);
    for (const block of open.keys()) close(block);
    span.to = end;
  };

  return {
    add(records, now) {
      if (records.count > 0 && !records.looks && open.size === 0) {
        end = offsetAt(records, records.count - 1) + 1;
        return;
      }
      for (let i = 0; i < records.count; i++) {
        if (looksAt(records, i)) peekBlocks({ content: contentAt(records, i), value: valueAt(records, i) }, member);
        const offset = offsetAt(records, i);
        end = offset + 1;
        let span = openSpan();
        if (!span) {
          if (open.size === 0) continue;
          spans.push((span = { from: offset, to: undefined, records: 0, since: now }));
        }
        span.records++;
        if (open.size === 0) {
          span.to = end;
          misses = Math.max(0, misses - 1);
        } else if (span.records >= MAX_BLOCK_RECORDS) giveUp();
      }
    },
    end(first, to) {
      const gone = spans.findIndex((span) => span.to === undefined || span.to > first);
      spans = gone < 0 ? [] : spans.slice(gone);
      const span = spans.find((each) => each.to === undefined || each.to >= to);
      if (!span || span.from >= to || span.to === to) return to;
      return span.from > first ? span.from : span.to;
    },
    isHeld: (first) => (openSpan()?.from ?? Number.POSITIVE_INFINITY) <= first,
    isOverdue: (now, wait) => now - (openSpan()?.since ?? Number.POSITIVE_INFINITY) >= wait / 2 ** misses,
    giveUp,
    resume(now) {
      const span = openSpan();
      if (span) span.since = now;
    },
  };
}
