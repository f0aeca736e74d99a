/**
 * A rule that fails too often is taken out. What counts is the outcomes' numbers in the order of the stream, no clock: the same
 * stream comes to the same decisions. A few failures among many evaluations are a rule's everyday (a strange transaction), and so
 * is a burst of one batch among many good ones.
 */
import { ruleKey } from "./ruleKey.ts";

/** What a rule version did with a batch: see RuleCount. */
export interface Evaluated {
  readonly rule: string;
  readonly version: number;
  readonly evaluations: number;
  readonly traps: number;
}

export interface BreakerOptions {
  /** So many failures … */
  readonly errors?: number;
  /** … among the last so many evaluations take a rule version out. */
  readonly evaluations?: number;
}

export interface Quarantine {
  readonly rule: string;
  readonly version: number;
  readonly errors: number;
  /** among how many: the window's length, or fewer if it failed so soon */
  readonly evaluations: number;
  /** in words, for a person who is to mend the rule */
  readonly reason: string;
}

export interface Breaker {
  /**
   * Takes one batch's counts, as in Outcome.rules; returns the rule versions that are to be taken out, each once. Batches of one
   * partition come in order; over several partitions the order of arrival decides.
   */
  observe(counts: readonly Evaluated[]): Quarantine[];
  /** Forgets what it knows of a rule version: it was released, and starts afresh. */
  release(rule: string, version: number): void;
}

/** 100 of 1,000: one in ten, and not before the hundredth failure, so that a rule which few transactions reach gets its chance. */
const DEFAULTS = { errors: 100, evaluations: 1_000 };

/** Failures still in the window: when they happened, in evaluations of the rule version, and how many. */
interface Window {
  seen: number;
  errors: number;
  readonly failures: { readonly at: number; readonly errors: number }[];
  open: boolean;
}

export function createBreaker(options: BreakerOptions = {}): Breaker {
  const { errors: most, evaluations: length } = { ...DEFAULTS, ...options };
  if (!(Number.isInteger(most) && Number.isInteger(length) && most >= 1 && most <= length))
    throw new RangeError(
      `Cannot break at ${most} errors in ${length} evaluations: expected whole numbers, 1 to as many errors as evaluations`,
    );
  /** Only of rules that failed within their window: the others are as good as new. */
  const windows = new Map<string, Window>();

  function observe({ rule, version, evaluations, traps }: Evaluated): Quarantine | null {
    const key = ruleKey({ name: rule, version });
    let window = windows.get(key);
    if (window === undefined) {
      if (traps === 0) return null;
      window = { seen: 0, errors: 0, failures: [], open: false };
      windows.set(key, window);
    }
    if (window.open) return null;
    window.seen += evaluations;
    // where in a batch it failed is not known: at the end, and if the batch is longer than the window, evenly over it
    const errors = Math.floor((traps * Math.min(evaluations, length)) / evaluations);
    if (errors > 0) {
      window.failures.push({ at: window.seen, errors });
      window.errors += errors;
    }
    while (window.failures.length > 0 && window.failures[0]!.at <= window.seen - length)
      window.errors -= window.failures.shift()!.errors;
    if (window.errors >= most) {
      window.open = true;
      window.failures.length = 0;
      const among = Math.min(window.seen, length);
      const reason = `Failed on ${window.errors} of its last ${among} transactions: at ${most} of ${length} a rule is taken out`;
      return { rule, version, errors: window.errors, evaluations: among, reason };
    }
    if (window.failures.length === 0) windows.delete(key);
    return null;
  }

  return {
    observe: (counts) => counts.map(observe).filter((decision) => decision !== null),
    release: (rule, version) => void windows.delete(ruleKey({ name: rule, version })),
  };
}
