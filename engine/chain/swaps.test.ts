import { describe, expect, test } from "vitest";
import { keccak256 } from "../condition/abi/keccak.ts";
import { SYNC_EVENTS } from "./protocols/uniswapV2.ts";
import { builtInRegistry } from "./registry/registry.ts";
import { createSwapFinder } from "./swaps.ts";
import { readFixtures, transactionOf } from "./testing/fixtures.ts";
import { viewsOf } from "./testing/views.ts";
import { TRANSFER_EVENTS } from "./transfers.ts";

const findSwaps = createSwapFinder({ registry: builtInRegistry });
const fixtures = readFixtures();

describe("swaps of real transactions", () => {
  test.each(fixtures)("$protocol $transaction", ({ chainId, from, to, value, logs, swaps }) => {
    const found = findSwaps(viewsOf([transactionOf(logs, { chainId, from, to, value })])[0]!);
    const got = Object.fromEntries(
      found.map(({ transaction: _, logIndex, reason: _reason, evidence: _evidence, after: _after, ...swap }) => [
        logIndex,
        { ...swap, amountIn: String(swap.amountIn), amountOut: String(swap.amountOut) },
      ]),
    );
    expect(got).toEqual(swaps);
  });

  test("a kind of log is proven if, and only if, a fixture has a swap of it", () => {
    const shown = new Set(
      fixtures.flatMap(({ logs, swaps }) =>
        logs.filter(({ logIndex }) => String(Number(logIndex)) in swaps).map(({ topics }) => topics[0]),
      ),
    );
    for (const { name, topic0, proven } of builtInRegistry.protocols)
      expect([name, topic0, shown.has(topic0)]).toEqual([name, topic0, proven]);
  });

  test("a transaction that reverted, or has no receipt yet, has none", () => {
    const { logs } = fixtures[0]!;
    expect(findSwaps(viewsOf([transactionOf(logs)])[0]!)).toHaveLength(1);
    expect(findSwaps(viewsOf([transactionOf(logs, { receipt: { status: "0x0", logs } })])[0]!)).toEqual([]);
    const pending = { blockNumber: null, blockHash: null, transactionIndex: null, receipt: null };
    expect(findSwaps(viewsOf([transactionOf(logs, pending)])[0]!)).toEqual([]);
  });
});

test("topics are the hashes of the signatures beside them", () => {
  const named = [
    ...[...TRANSFER_EVENTS, ...SYNC_EVENTS].map(({ event, topic0 }) => [event.signature, topic0]),
    ...builtInRegistry.protocols.map(({ layout, topic0 }) => [layout.signature, topic0]),
  ];
  for (const [signature, topic0] of named)
    expect([signature, keccak256(Buffer.from(signature!))]).toEqual([signature, topic0]);
});
