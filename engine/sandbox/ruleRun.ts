import type { Failure } from "./trap.ts";

export const KIND = { alert: 1, tag: 2, score: 3 } as const;

/** A result that a rule reported. */
export interface Match {
  /** number of the transaction in the batch */
  readonly transaction: number;
  /** one of KIND */
  readonly kind: number;
  /** 0 info … 4 critical */
  readonly severity: number;
  /** of an alert or tag; empty for a score, and where nobody wants texts */
  readonly text: string;
  /** 0 … 1; 0 for the other kinds */
  readonly score: number;
}

/**
 * What a rule made of the transactions that it was shown. Its matches stand in columns that are filled again and again: a batch has thousands
 * of runs of a few matches each. Without an object for each run, match and count, and without a view of each one's transactions, 10,000
 * modules take 1.83 µs a transaction in place of 2.15 (`bench -- rules --only modules`).
 */
export class RuleRun {
  /** Matches: in order of transactions, then as the rule reported them. What stands in the columns beyond is of a run before. */
  count = 0;
  readonly transactions: number[] = [];
  readonly kinds: number[] = [];
  readonly severities: number[] = [];
  readonly texts: string[] = [];
  readonly scores: number[] = [];
  failures: Failure[] = [];
  /** transactions that were evaluated, failures included */
  evaluations = 0;
  /** what they used: does not depend on how transactions were cut into batches, as long as the batch's fuel lasts */
  fuel = 0;

  /** For another run. */
  clear(): void {
    this.count = 0;
    if (this.failures.length > 0) this.failures = [];
    this.evaluations = 0;
    this.fuel = 0;
  }

  add(transaction: number, kind: number, severity: number, text: string, score: number): void {
    const i = this.count++;
    this.transactions[i] = transaction;
    this.kinds[i] = kind;
    this.severities[i] = severity;
    this.texts[i] = text;
    this.scores[i] = score;
  }

  fail(transaction: number, { code, message }: Omit<Failure, "transaction">): void {
    this.failures.push({ transaction, code, message });
  }

  /** How many of the matches are alerts. */
  get alerts(): number {
    let alerts = 0;
    for (let i = 0; i < this.count; i++) if (this.kinds[i] === KIND.alert) alerts++;
    return alerts;
  }

  /** The matches one by one, for whoever has few. */
  get matches(): Match[] {
    return Array.from({ length: this.count }, (_, i) => ({
      transaction: this.transactions[i]!,
      kind: this.kinds[i]!,
      severity: this.severities[i]!,
      text: this.texts[i]!,
      score: this.scores[i]!,
    }));
  }
}
