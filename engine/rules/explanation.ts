import type { Predicate } from "../condition/condition.ts";

export interface Explanation {
  readonly holds: boolean;
  /** The parts of an and, an or, a not; the comparison of a leaf. */
  readonly and?: readonly Explanation[];
  readonly or?: readonly Explanation[];
  readonly not?: Explanation;
  /** The event or function that its arguments are of, … */
  readonly match?: string;
  /** … the log of it that is so, or comes nearest; null: there is none, or it is the call, … */
  readonly log_index?: number | null;
  /** … and its comparisons. */
  readonly where?: Explanation;
  readonly field?: string;
  readonly operator?: Predicate["operator"];
  readonly value?: Predicate["value"];
  /** What the transaction has: decimal text, hex, a boolean; null: nothing; of logs, of each one. Long call data is cut. */
  readonly actual?: string | boolean | readonly string[] | null;
  /** Of a comparison with a list: which of the values are in it. */
  readonly in_list?: readonly string[];
}
