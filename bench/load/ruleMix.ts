/**
 * 10,000 JSON rules and the transactions they are made for: 500 recipients, 5,000 senders, four chains, six selectors, values
 * below 2^62 wei and gas prices below 2^35, each uniform. The same for a seed, on every machine; n rules are the first n of 10,000.
 *
 *     70 %  chainId eq, to eq, value gt          80 % of the addresses do not occur
 *     20 %  input starts_with, gasPrice gt       each matches 0.05 to 1 % of the transactions
 *     10 %  value gt, from eq
 *
 * Since the distributions are known, a threshold follows from the share of transactions it lets through.
 */
import { createRandom, type Random } from "./random.ts";

/** A condition as `POST /api/v1/rules` takes it. Amounts are decimal strings. */
export type JsonCondition =
  | { readonly field: string; readonly operator: string; readonly value: string | number }
  | { readonly and: readonly JsonCondition[] }
  | { readonly or: readonly JsonCondition[] }
  | { readonly not: JsonCondition };

export interface JsonRule {
  readonly id: string;
  readonly conditions: JsonCondition;
}

export const RULES = 10_000;
/** Every threshold lets through so much of what the dense mix's does: 6.6 matches a transaction become 0.04. */
const SPARSE = 1 / 200;

/**
 * - dense: 6.6 matches a transaction. Counting only: nobody could send that many alerts.
 * - sparse: the same rules with thresholds raised until it is at most 0.05.
 * - ranges: of ten rules three have no equality that an index could begin with: ranges, OR, NOT. 14 matches a transaction.
 * - ranges sparse: these with thresholds raised.
 */
export const MIXES = {
  dense: { ranges: 0, tail: 1 },
  sparse: { ranges: 0, tail: SPARSE },
  ranges: { ranges: 0.3, tail: 1 },
  "ranges sparse": { ranges: 0.3, tail: SPARSE / 2 },
} as const;
export type MixName = keyof typeof MIXES;

const CHAINS = [1, 56, 137, 42161];
const SELECTORS = ["0x38ed1739", "0xa9059cbb", "0x095ea7b3", "0x7ff36ab5", "0x5c11d795", "0x18cbafe5"];
const VALUE_BITS = 62;
const GAS_PRICE_BITS = 35;
const NONCES = 1_000;
/** 2025-11-21, as the first of them is seen; then one a millisecond. */
const FIRST_SEEN_MS = 1_763_700_000_000;

interface People {
  readonly recipients: readonly string[];
  readonly senders: readonly string[];
}

function people(seed: number): People {
  const { hex } = createRandom(seed);
  const addresses = (count: number): string[] => Array.from({ length: count }, () => `0x${hex(20)}`);
  return { recipients: addresses(500), senders: addresses(5_000) };
}

/** So many pending transactions as JSON, 650 bytes each. */
export function mixTransactions(count: number, seed = 7): string[] {
  const { recipients, senders } = people(seed);
  const random = createRandom(seed + 1);
  const { hex, pick } = random;
  const quantity = (bits: number): string => `"0x${bitsOf(random, bits).toString(16)}"`;
  const words = (): string => Array.from({ length: pick([2, 2, 5, 7]) }, () => "0".repeat(24) + hex(20)).join("");
  return Array.from(
    { length: count },
    (_, i) =>
      `{"chainId":${pick(CHAINS)},"hash":"0x${hex(32)}","from":"${pick(senders)}","to":"${pick(recipients)}",` +
      `"nonce":"0x${(i % NONCES).toString(16)}","value":${quantity(VALUE_BITS)},"gas":"0x${(200_000 + (i % 1_000)).toString(16)}",` +
      `"gasPrice":${quantity(GAS_PRICE_BITS)},"maxFeePerGas":${quantity(GAS_PRICE_BITS)},"maxPriorityFeePerGas":${quantity(31)},` +
      `"type":"0x2","input":"${pick(SELECTORS)}${words()}","seenAt":${FIRST_SEEN_MS + i}}`,
  );
}

/** The first `count` rules of a mix. @throws RangeError for more than there are */
export function mixRules(mix: MixName, count: number, seed = 7): JsonRule[] {
  if (!(count >= 0 && count <= RULES))
    throw new RangeError(`Cannot make ${count} rules of the mix "${mix}": expected 0 to ${RULES}`);
  const { ranges, tail } = MIXES[mix];
  const random = createRandom(seed + 2);
  const { recipients, senders } = people(seed);
  const popular = zipf(recipients);
  return Array.from({ length: count }, (_, i) => ({
    id: `r${String(i).padStart(5, "0")}`,
    conditions: random.unit() < ranges ? withoutEquality(random, tail) : withEquality(random, tail, senders, popular),
  }));
}

function withEquality(
  random: Random,
  tail: number,
  senders: readonly string[],
  popular: (unit: number) => string,
): JsonCondition {
  const kind = random.unit();
  const unknown = random.unit() < 0.8;
  const address = `0x${random.hex(20)}`;
  const share = (0.01 + 0.99 * random.unit()) * tail; // of the transactions that have the other equalities
  if (kind < 0.7) {
    const to = unknown ? address : popular(random.unit());
    return and(eq("chainId", random.pick(CHAINS)), eq("to", to), valueAbove(share));
  }
  if (kind < 0.9) {
    const selector = { field: "input", operator: "starts_with", value: random.pick(SELECTORS) };
    return and(selector, gasPriceAbove(logUniform(random) * tail * SELECTORS.length));
  }
  return and(valueAbove(share), eq("from", unknown ? address : random.pick(senders)));
}

/** Each lets 0.05 to 1 % of all transactions through, times `tail`. */
function withoutEquality(random: Random, tail: number): JsonCondition {
  const kind = random.unit();
  const share = logUniform(random) * tail;
  if (kind < 0.3) {
    const above = share + random.unit() * (1 - share);
    return and({ ...valueAbove(above), operator: "gte" }, { ...valueAbove(above - share), operator: "lt" });
  }
  if (kind < 0.55) {
    const below = 50 + Math.floor(random.unit() * (NONCES / 2)); // 5 to 55 % of the nonces
    return and(gasPriceAbove((share * NONCES) / below), { field: "nonce", operator: "lt", value: below });
  }
  if (kind < 0.75) {
    const others = CHAINS.length / (CHAINS.length - 1);
    return and({ not: eq("chainId", random.pick(CHAINS)) }, valueAbove(share * others));
  }
  if (kind < 0.9) return { or: [valueAbove(share / 2), gasPriceAbove(share / 2)] };
  const onOneChain = and(eq("chainId", random.pick(CHAINS)), gasPriceAbove((share / 2) * CHAINS.length));
  return { or: [onOneChain, valueAbove(share / 2)] };
}

const and = (...conditions: JsonCondition[]): JsonCondition => ({ and: conditions });
const eq = (field: string, value: string | number) => ({ field, operator: "eq", value });
/** Lets so large a share of the transactions through. */
export const valueAbove = (share: number) => ({ field: "value", operator: "gt", value: threshold(share, VALUE_BITS) });
const gasPriceAbove = (share: number) => ({
  field: "gasPrice",
  operator: "gt",
  value: threshold(share, GAS_PRICE_BITS),
});

/** (1 − share) × 2^bits as decimal digits, to 2^-48 of that. */
const threshold = (share: number, bits: number): string =>
  String((BigInt(Math.floor((1 - share) * 2 ** 48)) << BigInt(bits)) >> 48n);

/** 0.05 to 1 %. */
const logUniform = (random: Random): number => 0.0005 * 20 ** random.unit();

function bitsOf(random: Random, bits: number): bigint {
  const words = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  return words >> BigInt(64 - bits);
}

/** Draws by rank: the n-th is n times as rare as the first. */
function zipf(items: readonly string[]): (unit: number) => string {
  const sums: number[] = [];
  items.forEach((_, i) => void sums.push((sums[i - 1] ?? 0) + 1 / (i + 1)));
  return (unit) => items[sums.findIndex((sum) => sum > unit * sums.at(-1)!)]!;
}
