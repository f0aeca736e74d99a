import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlockView } from "./blockView.ts";
import { builtInRegistry } from "./registry/registry.ts";
import type { Swap } from "./swap.ts";
import { createSwapFinder } from "./swaps.ts";
import { type Fixture, readFixtures, transactionOf } from "./testing/fixtures.ts";
import * as l from "./testing/logs.ts";
import { viewsOf } from "./testing/views.ts";

const findSwaps = createSwapFinder({ registry: builtInRegistry });
const fixtures = readFixtures();

/** What strangers may do to a receipt: bytes changed, cut, put in; logs dropped, doubled, swapped, of another transaction. */
type Change = readonly [kind: number, log: number, at: number, byte: number, other: number];
const changes = fc.array(fc.tuple(fc.nat(7), fc.nat(2 ** 16), fc.nat(2 ** 16), fc.nat(255), fc.nat(2 ** 16)), {
  minLength: 1,
  maxLength: 6,
});

function changed({ logs }: Fixture, all: readonly Change[]): Fixture["logs"] {
  const result = logs.map((log) => ({ ...log }));
  for (const [kind, which, at, byte, other] of all) {
    const i = which % (result.length || 1);
    const log = result[i];
    if (log === undefined) continue;
    const hex = byte.toString(16).padStart(2, "0");
    const splice = (text: string, remove: number, insert: string) => {
      const from = 2 + 2 * (at % Math.max(1, (text.length - 2) / 2));
      return text.slice(0, from) + insert + text.slice(from + remove);
    };
    if (kind === 0) result[i] = { ...log, data: splice(log.data, 2, hex) };
    if (kind === 1) result[i] = { ...log, data: log.data.slice(0, 2 + 2 * (at % ((log.data.length - 2) / 2 + 1))) };
    if (kind === 2) result[i] = { ...log, data: splice(log.data, 0, hex) };
    if (kind === 3)
      result[i] = {
        ...log,
        topics: log.topics.map((topic, t) => (t > 0 && t === at % 4 ? splice(topic, 2, hex).slice(0, 66) : topic)),
      };
    if (kind === 4)
      result[i] = {
        ...log,
        topics: at % 2 ? log.topics.slice(0, -1) : [...log.topics, log.topics[0] ?? l.WETH.padEnd(66, "0")].slice(0, 4),
      };
    if (kind === 5) result.splice(i, 1);
    if (kind === 6) result.splice(other % (result.length + 1), 0, log);
    if (kind === 7) {
      const stranger = fixtures[other % fixtures.length]!.logs;
      result.splice(i, 0, stranger[at % stranger.length]!);
    }
  }
  return result.map((log, i) => ({ ...log, logIndex: `0x${i.toString(16)}` }));
}

function check(swaps: readonly Swap[], logs: number): void {
  const address = /^0x[0-9a-f]{40}$/;
  swaps.forEach((swap, i) => {
    expect(swap.amountIn > 0n && swap.amountIn < 2n ** 255n && swap.amountOut > 0n && swap.amountOut < 2n ** 255n).toBe(
      true,
    );
    for (const one of [swap.from, swap.to, swap.tokenIn, swap.tokenOut]) expect(one).toMatch(address);
    expect(swap.pool).toMatch(/^0x([0-9a-f]{40}|[0-9a-f]{64})$/);
    expect(swap.tokenIn).not.toBe(swap.tokenOut);
    expect(swap.reason).not.toBe("");
    expect(swap.evidence[0]).toBe(swap.logIndex);
    for (const index of swap.evidence) expect(index >= 0 && index < logs).toBe(true);
    if (i > 0) expect(swap.logIndex).toBeGreaterThan(swaps[i - 1]!.logIndex);
  });
}

test("receipts that were changed at random never throw, and what is found is whole", () => {
  fc.assert(
    fc.property(fc.constantFrom(...fixtures), changes, (fixture, all) => {
      const { chainId, from, to, value } = fixture;
      const logs = changed(fixture, all);
      check(findSwaps(viewsOf([transactionOf(logs, { chainId, from, to, value })])[0]!), logs.length);
    }),
    {
      numRuns: Number(process.env.WEIR_FUZZ ?? 500),
      ...(process.env.WEIR_FUZZ_SEED ? { seed: Number(process.env.WEIR_FUZZ_SEED) } : {}),
    },
  );
});

/** Each made for one thing that could be looked for over and over: 3 logs a round or 1. */
const [A, B, POOL, USER] = [l.named("alpha"), l.named("beta"), l.named("pool"), l.named("user")];
const MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90";
const floods: Record<string, (count: number) => Parameters<typeof l.blockOf>[0]> = {
  "swaps of one pool, all alike": (count) =>
    rounds(count / 3, () => [
      l.transfer(A, USER, POOL, 9),
      l.transfer(B, POOL, USER, 8),
      l.swapV2(POOL, [9, 0], [0, 8], USER),
    ]),
  "liars' tokens by the thousand, then swaps of a manager": (count) => [
    ...rounds(count / 4, (i) => [
      l.transfer(l.named(`a${i}`), USER, MANAGER, 9),
      l.transfer(l.named(`b${i}`), MANAGER, USER, 8),
    ]),
    ...rounds(count / 2, (i) => [l.swapV4(MANAGER, i, -9, 8)]),
  ],
  "coin unwrapped by the thousand, then exchanges": (count) => [
    ...rounds(count / 2, () => [l.withdrawal(l.WETH, USER, 9)]),
    ...rounds(count / 4, () => [l.transfer(B, POOL, USER, 8), l.exchangeCurve(POOL, USER, 0, 9, 1, 8)]),
  ],
  "one swap through all bins": (count) => [
    ...[l.transfer(A, USER, POOL, 9 * (count - 2)), l.transfer(B, POOL, USER, 8 * (count - 2))],
    ...rounds(count - 2, (i) => [l.swapBin(POOL, i, [9n, 0n], [0n, 8n], USER)]),
  ],
  "amounts that differ in their upper bits, at a vault": (count) => [
    ...rounds(count / 2, (i) => [l.transfer(A, USER, MANAGER, (BigInt(i) << 64n) | 7n)]),
    ...rounds(count / 2, (i) => [l.swapBalancerV2(MANAGER, i, A, B, (BigInt(i) << 64n) | 7n, 8)]),
  ],
};

function rounds(count: number, logs: (i: number) => Parameters<typeof l.blockOf>[0]): Parameters<typeof l.blockOf>[0] {
  return Array.from({ length: Math.floor(count) }, (_, i) => logs(i)).flat();
}

describe("20,000 logs in one transaction take time in proportion", () => {
  test.each(Object.keys(floods))("%s", (name) => {
    const [few, many] = [2_500, 20_000].map((count) => l.floodOf(floods[name]!(count))) as [BlockView, BlockView];
    const swaps = findSwaps(many);
    check(swaps.slice(0, 10), 20_000);
    expect(swaps.length).toBeGreaterThan(0);
    expect(cpuOf(many) / Math.max(cpuOf(few), 2_000)).toBeLessThan(32); // 8 times as many; were each compared with each, 64 times
  });
});

/** The least µs of some runs. */
function cpuOf(view: BlockView): number {
  const runs = Array.from({ length: 2 }, () => {
    const before = process.cpuUsage();
    findSwaps(view);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}
