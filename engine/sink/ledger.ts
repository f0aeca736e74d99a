import type { TopicRecords } from "../worker/outcome.ts";

/**
 * The ledger: how far each partition has come, kept so that everything happens exactly once.
 *
 *     stored             published          head of the partition
 *       │ range │ range │ open range │        │
 *     ──┴───────┴───────┴──┬──┬──┬───┴────────┴──▶ offsets
 *                          cuts
 *
 * - Everything below `stored` is in ClickHouse. Everything below `published` is on the output topics.
 * - A batch is published first: its records and the new position are one transaction. Its rows wait in the open range.
 * - Ranges of all partitions close together when they are old or large enough: they are a *round*, one insert a table. That a
 *   range ends *there*, and in which round it is stored, is committed before anything of it is inserted. So a range is always
 *   the same rows, and whoever inserts it again, alone or with its round, can be recognised by the round's name.
 * - Between `stored` and `published` the cuts of the batches and the versions of catalogue and world are kept: after a
 *   restart the very same batches run again, in the very same world, and give the very same bytes.
 */
export interface PartitionState {
  readonly stored: number;
  readonly published: number;
  /** Oldest first; only the last may be open. */
  readonly ranges: readonly RangeState[];
}

export interface RangeState {
  /** Ends of the published batches of the range, ascending; the last one is the end of the range so far. */
  readonly cuts: readonly number[];
  /** Name (16 hex digits) of the round it is stored in; undefined while it is open. */
  readonly round: string | undefined;
  /** Content hashes (16 hex digits) of the rule catalogue and the world the range was opened with. */
  readonly catalogue: string;
  readonly world: string;
}

export interface LedgerEntry {
  readonly partition: number;
  readonly state: PartitionState;
}

export interface Ledger {
  /** The committed state of each partition; one that was never committed is absent. */
  read(partitions: readonly number[]): Promise<Map<number, PartitionState>>;
  /**
   * Atomically puts records on the output topics and moves the positions: all of it or nothing.
   * @throws when the outcome is unknown or we no longer own a partition: everything in memory is dropped and read again.
   */
  commit(entries: readonly LedgerEntry[], records: readonly TopicRecords[]): Promise<void>;
}

/** Ledger text v1, ASCII: Kafka keeps at most 4,095 bytes of it beside a committed offset. */
export const MAX_LEDGER_TEXT = 4_095;
/** Ranges of a partition between `stored` and `published`: one on its way to the store, one that waits, one that is open. */
export const MAX_RANGES = 3;
/** At ≤ 5 base-36 digits a cut, so many in each range stay well below MAX_LEDGER_TEXT. */
export const MAX_CUTS = 200;

/**
 * `1;stored;range;range…` with range = `catalogue,world,round|o,cut+cut+…`; numbers in base 36, the first cut relative to the
 * end before it (or stored), each further cut relative to the one before. `published` is the committed offset itself.
 */
export function encodeLedger(state: PartitionState): string {
  let at = state.stored;
  const ranges = state.ranges.map((range) => {
    const cuts = range.cuts.map((cut) => {
      const step = cut - at;
      at = cut;
      return step.toString(36);
    });
    return `${range.catalogue},${range.world},${range.round ?? "o"},${cuts.join("+")}`;
  });
  const text = ["1", state.stored.toString(36), ...ranges].join(";");
  if (text.length > MAX_LEDGER_TEXT)
    throw new Error(
      `Cannot commit the ledger: its text is ${text.length} bytes, expected at most ${MAX_LEDGER_TEXT}; close ranges earlier`,
    );
  return text;
}

/** A version's becomes the name of a file: what somebody put beside an offset must not lead elsewhere. */
const ID = /^[0-9a-f]{16}$/;

/** @throws Error that shows the text, when it is not one that `encodeLedger` made for this position */
export function decodeLedger(text: string, published: number): PartitionState {
  const fail = (why: string): never => {
    throw new Error(`Cannot read the ledger "${text.slice(0, 80)}" at offset ${published}: ${why}`);
  };
  const [version, storedText, ...rangeTexts] = text.split(";");
  if (version !== "1") fail(`its version is "${version}", expected 1`);
  const number = (digits: string | undefined): number => {
    const value = Number.parseInt(digits ?? "", 36);
    return Number.isSafeInteger(value) && value >= 0 && value.toString(36) === digits
      ? value
      : fail(`"${digits}" is not a number`);
  };
  const stored = number(storedText);
  let at = stored;
  const ranges = rangeTexts.map((range, i): RangeState => {
    const [catalogue, world, round, cutsText = "", ...rest] = range.split(",");
    if (rest.length > 0) fail(`a range has ${4 + rest.length} parts, expected 4`);
    if (round === "o" && i < rangeTexts.length - 1) fail("a range before the last is open, expected it to be closed");
    const id = (text = ""): string => (ID.test(text) ? text : fail(`"${text}" is not an id of 16 hex digits`));
    const cuts = cutsText.split("+").map((step) => {
      const length = number(step);
      if (length === 0) fail("a batch is empty, expected its cut behind the one before");
      return (at += length);
    });
    return { catalogue: id(catalogue), world: id(world), round: round === "o" ? undefined : id(round), cuts };
  });
  if (at !== published) fail(`its ranges end at ${at}, expected the committed offset`);
  return { stored, published, ranges };
}
