import { expect, test } from "vitest";
import { readPoolTokens } from "./poolIdentity.ts";
import { builtInRegistry } from "./registry/registry.ts";
import { createSwapFinder } from "./swaps.ts";
import { blockOf, named, swapV2, transfer, WETH } from "./testing/logs.ts";

const [TOKEN, OTHER, POOL, ALICE] = ["alpha", "beta", "pool", "alice"].map(named) as [string, string, string, string];
const pool = { address: POOL, token0: TOKEN, token1: WETH, factory: null, fee: null };
const logs = [
  transfer(TOKEN, ALICE, POOL, 5),
  transfer(OTHER, ALICE, POOL, 5), // what the swap was paid with cannot be told from this
  transfer(WETH, POOL, ALICE, 9),
  swapV2(POOL, [5, 0], [0, 9], ALICE),
];
const findSwaps = createSwapFinder({ registry: builtInRegistry });
const found = (more: object) => findSwaps(blockOf(logs, more as never))[0];

test("a block's record says which tokens its pools have: a swap knows them, and doubts nothing that moved beside them", () => {
  expect(found({})).toMatchObject({ provenance: "transfers", confidence: "low" });
  expect(found({ pools: [pool] })).toMatchObject({ provenance: "pool", confidence: "high", tokenIn: TOKEN });
  expect(found({ pools: [{ ...pool, address: OTHER }] })).toMatchObject({ provenance: "transfers" });
});

test.each([
  ["no list", { [POOL]: pool }],
  ["not of pools", [null]],
  ["of an address in another case", [{ ...pool, address: POOL.toUpperCase() }]],
  ["of a pool of one token", [{ ...pool, token1: TOKEN }]],
  ["of more pools than a block has", Array(1_001).fill(pool)],
])("one that is %s says nothing", (_, pools) => {
  expect(readPoolTokens(blockOf(logs, { pools } as never))).toBeUndefined();
  expect(found({ pools })).toMatchObject({ provenance: "transfers" });
});
