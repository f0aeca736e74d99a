import fc from "fast-check";
import { expect, test } from "vitest";
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
