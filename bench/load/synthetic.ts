import { createRandom } from "./random.ts";

/**
 * Pending transactions like those of a busy mempool, 656 bytes of JSON on average, any number of them, always the same for a
 * seed. How many of them each example rule must alert on is known from the start.
 */
export interface SyntheticOptions {
  readonly seed?: number;
  /** Share of transactions with more than 100 ether; the rule `whale-transfer` alerts on each. */
  readonly whales?: number;
  /** Share of unlimited approvals; the rule `unlimited-approval` alerts on each. */
  readonly approvals?: number;
}

export interface Synthetic {
  /** The next transaction as JSON. */
  next(): string;
  /** What the example rules must have raised for all that `next` gave so far. */
  readonly expected: { transactions: number; whales: number; approvals: number };
}

/** Swaps and transfers by selector with so many words of arguments; `approve` is made on purpose only. */
const CALLS: readonly (readonly [selector: string, words: number])[] = [
  ["38ed1739", 7],
  ["a9059cbb", 2],
  ["7ff36ab5", 2],
  ["5c11d795", 5],
  ["18cbafe5", 4],
];
const CHAINS = [1, 56, 137, 42161];
/** 2025-11-21, as the first of them is seen; then one a millisecond. */
export const FIRST_SEEN_MS = 1_763_700_000_000;

export function createSynthetic({ seed = 7, whales = 0.01, approvals = 0.01 }: SyntheticOptions = {}): Synthetic {
  const random = createRandom(seed);
  const { hex, pick } = random;
  const recipients = Array.from({ length: 500 }, () => hex(20));
  const senders = Array.from({ length: 5_000 }, () => hex(20));
  const expected = { transactions: 0, whales: 0, approvals: 0 };

  return {
    expected,
    next() {
      const i = expected.transactions++;
      const kind = random.unit();
      let value = `${hex(7)}`; // below 2^56 wei: 0.07 ether at most
      let [selector, words] = pick(CALLS);
      let args = "";
      if (kind < whales) {
        expected.whales++;
        value = (101n * 10n ** 18n + BigInt(random.u32())).toString(16);
      } else if (kind < whales + approvals) {
        expected.approvals++;
        [selector, words] = ["095ea7b3", 0];
        args = `${"0".repeat(24)}${hex(20)}${"f".repeat(64)}`;
      }
      for (let word = 0; word < words; word++) args += `${"0".repeat(24)}${hex(20)}`;
      return (
        `{"chainId":${pick(CHAINS)},"hash":"0x${hex(32)}","from":"0x${pick(senders)}","to":"0x${pick(recipients)}",` +
        `"nonce":"0x${(i % 1000).toString(16)}","value":"0x${value.replace(/^0+(?=.)/, "")}","gas":"0x${(200_000 + (i % 1000)).toString(16)}",` +
        `"gasPrice":"0x${random.u32().toString(16)}","maxFeePerGas":"0x${random.u32().toString(16)}",` +
        `"maxPriorityFeePerGas":"0x${(random.u32() >>> 1).toString(16)}","type":"0x2","input":"0x${selector}${args}",` +
        `"seenAt":${FIRST_SEEN_MS + i}}`
      );
    },
  };
}
