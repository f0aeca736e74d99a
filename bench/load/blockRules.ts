/**
 * Rules in the shapes of the dense mix that fit given transactions: 80 % of the addresses do not occur, the rest are theirs; thresholds lie
 * among the values and gas prices of those that have the other members, so that all rules together raise few alerts. The same for a seed.
 */
import { createRandom } from "./random.ts";
import type { JsonCondition, JsonRule } from "./ruleMix.ts";
import type { MixTransaction } from "./ruleTruth.ts";

/** Alerts a transaction, of all rules together: "at most 0.05". */
const ALERTS = 0.03;
/** Of the rules: what is not an address that does not occur. */
const OCCUR = 0.36;
const SELECTOR_CHARS = 10;

export function rulesFor(transactions: readonly MixTransaction[], count: number, seed = 7): JsonRule[] {
  const { hex, pick, unit, u32 } = createRandom(seed);
  const byTo = groups(transactions, ({ chainId, to }) => `${chainId} ${to}`, "value");
  const byFrom = groups(transactions, ({ from }) => from, "value");
  const bySelector = groups(transactions, ({ input }) => input.slice(0, SELECTOR_CHARS), "gasPrice");
  const each = (ALERTS * transactions.length) / (OCCUR * count);

  /** As many of the group are above it as are this rule's share of the alerts: mostly one or none. */
  const above = (field: string, group: readonly bigint[] = []): JsonCondition => {
    const few = Math.min(group.length, Math.floor(each) + (unit() < each % 1 ? 1 : 0));
    const jitter = BigInt(u32() % 1_000);
    const value = few > 0 ? group.at(-few)! - 1n - jitter : (group.at(-1) ?? 0n) + jitter;
    return { field, operator: "gt", value: String(value < 0n ? 0n : value) };
  };
  const eq = (field: string, value: string | number): JsonCondition => ({ field, operator: "eq", value });
  const shape = (): readonly JsonCondition[] => {
    const kind = unit();
    const { chainId, to, from, input } = pick(transactions);
    if (kind < 0.7) {
      const address = unit() < 0.8 || to === null ? `0x${hex(20)}` : to;
      return [eq("chainId", chainId), eq("to", address), above("value", byTo.get(`${chainId} ${address}`))];
    }
    if (kind < 0.9) {
      const selector = input.length < SELECTOR_CHARS ? `0x${hex(4)}` : input.slice(0, SELECTOR_CHARS); // every input begins with 0x
      return [
        { field: "input", operator: "starts_with", value: selector },
        above("gasPrice", bySelector.get(selector)),
      ];
    }
    const sender = unit() < 0.8 ? `0x${hex(20)}` : from;
    return [above("value", byFrom.get(sender)), eq("from", sender)];
  };
  return Array.from({ length: count }, (_, i) => ({
    id: `b${String(i).padStart(5, "0")}`,
    conditions: { and: shape() },
  }));
}

/** Ascending numbers of a field, by a key. */
function groups(
  transactions: readonly MixTransaction[],
  keyOf: (transaction: MixTransaction) => string,
  field: "value" | "gasPrice",
): Map<string, bigint[]> {
  const found = new Map<string, bigint[]>();
  for (const transaction of transactions) {
    const key = keyOf(transaction);
    const group = found.get(key);
    if (group) group.push(transaction[field]);
    else found.set(key, [transaction[field]]);
  }
  for (const group of found.values()) group.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return found;
}
