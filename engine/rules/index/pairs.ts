/** Pairs of a rule and a transaction, as they are found; sorted at the end of a batch. */
export class Pairs {
  count = 0;
  rules = new Uint32Array(1_024);
  transactions = new Uint32Array(1_024);

  push(rule: number, transaction: number): void {
    if (this.count === this.rules.length) this.#grow(this.count + 1);
    this.rules[this.count] = rule;
    this.transactions[this.count++] = transaction;
  }

  /** One transaction with the rules from `from` to `to` of a list. */
  pushAll(rules: Uint32Array, from: number, to: number, transaction: number): void {
    let at = this.count;
    if (at + to - from > this.rules.length) this.#grow(at + to - from);
    const { rules: ownRules, transactions } = this;
    for (let i = from; i < to; i++) {
      ownRules[at] = rules[i]!;
      transactions[at++] = transaction;
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
