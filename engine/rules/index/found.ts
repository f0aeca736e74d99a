/** What the parts of the index find in a batch: pairs of a rule and a transaction, or of rules that are only counted, how many. */
export class Found {
  /** Pairs so far, which are sorted at the end of a batch. */
  count = 0;
  rules = new Uint32Array(1_024);
  transactions = new Uint32Array(1_024);
  /** Transactions of each rule that is only counted. */
  readonly counts: Uint32Array;
  /** Whether the rule is only counted, by its number. */
  readonly counted: readonly boolean[];

  constructor(counted: readonly boolean[]) {
    this.counted = counted;
    this.counts = new Uint32Array(counted.length);
  }

  /** A new batch. */
  begin(): void {
    this.count = 0;
    this.counts.fill(0);
  }

  /** A pair, or one more where the rule is only counted. */
  add(rule: number, transaction: number): void {
    if (this.counted[rule]) this.counts[rule]!++;
    else this.push(rule, transaction);
  }

  push(rule: number, transaction: number): void {
    if (this.count === this.rules.length) this.#grow(this.count + 1);
    this.rules[this.count] = rule;
    this.transactions[this.count++] = transaction;
  }

  /** One transaction with the rules from `from` to `to` of a list. */
  pushRules(rules: Uint32Array, from: number, to: number, transaction: number): void {
    let at = this.count;
    if (at + to - from > this.rules.length) this.#grow(at + to - from);
    const { rules: ownRules, transactions } = this;
    for (let i = from; i < to; i++) {
      ownRules[at] = rules[i]!;
      transactions[at++] = transaction;
    }
    this.count = at;
  }

  /** One rule with the first `length` transactions of a list. */
  pushTransactions(rule: number, list: Uint32Array, length: number): void {
    let at = this.count;
    if (at + length > this.rules.length) this.#grow(at + length);
    const { rules, transactions } = this;
    for (let i = 0; i < length; i++) {
      rules[at] = rule;
      transactions[at++] = list[i]!;
    }
    this.count = at;
  }

  #grow(least: number): void {
    const grown = (full: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(Math.max(least, full.length * 2));
      larger.set(full);
      return larger;
    };
    this.rules = grown(this.rules);
    this.transactions = grown(this.transactions);
  }
}
