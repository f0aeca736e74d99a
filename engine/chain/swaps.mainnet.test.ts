import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hexAt } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { builtInRegistry } from "./registry/registry.ts";
import type { Swap } from "./swap.ts";
import { createSwapFinder } from "./swaps.ts";
import { blocksOfLines } from "./testing/views.ts";

/** Against what mev-inspect-py found in the traces of the same blocks, and the pools' own tokens, where these are at hand. */
const shared = (name: string): string => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));
const isThere = existsSync(shared("mainnet.ndjson.gz"));
if (!isThere)
  process.stderr.write(`no mainnet data at ${shared("")}: swaps are not compared with another inspector's\n`);

interface Expected {
  readonly kind: string;
  readonly tx_hash: string;
  readonly pool: string;
  readonly protocol: string;
  readonly token_in: string;
  readonly amount_in: string;
  readonly token_out: string;
  readonly amount_out: string;
}

test.runIf(isThere)("swaps of real blocks are those of another inspector, but for the amounts of taxed tokens", () => {
  const found = new Map<string, Swap[]>();
  const keyOf = (hash: string, pool: string, tokenIn: string, tokenOut: string, amountOut: string) =>
    [hash, pool, tokenIn, tokenOut, amountOut].join(" ");
  const findSwaps = createSwapFinder({
    registry: builtInRegistry,
    onUnresolved: (swap) => expect(swap).toBeUndefined(),
  });
  for (const view of blocksOfLines(mainnetLines()))
    for (const swap of findSwaps(view)) {
      const hash = hexAt(view, view.frames[swap.transaction]! + OFFSET.hash, 32);
      const key = keyOf(hash, swap.pool, swap.tokenIn, swap.tokenOut, String(swap.amountOut));
      found.set(key, [...(found.get(key) ?? []), swap]);
    }

  const all = [...found.values()].flat();
  const pools: Record<string, { token0: string; token1: string }> = JSON.parse(
    readFileSync(shared("pools.json"), "utf8"),
  );
  for (const { pool, tokenIn, tokenOut } of all)
    if (pools[pool]?.token0)
      expect([pool, ...[tokenIn, tokenOut].sort()]).toEqual([pool, pools[pool].token0, pools[pool].token1]);

  const lines: Expected[] = readFileSync(shared("expected.ndjson"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const expected = lines.filter(({ kind }) => kind === "swap");
  const missed: Expected[] = [];
  const otherAmount: string[] = [];
  for (const one of expected) {
    const same = found.get(keyOf(one.tx_hash, one.pool, one.token_in, one.token_out, one.amount_out)) ?? [];
    const equal = same.findIndex(({ amountIn }) => String(amountIn) === one.amount_in);
    const [swap] = same.splice(Math.max(0, equal), 1);
    if (swap === undefined || swap.protocol !== one.protocol) missed.push(one);
    else if (equal < 0) otherAmount.push(one.tx_hash.slice(0, 10));
  }
  expect(missed).toEqual([]);
  expect(otherAmount.sort()).toEqual(TAXED);
  expect(expected.length).toBe(511);
  expect(all.filter(({ confidence }) => confidence === "low")).toEqual([]);
});

/** Their amount_in is what was sent, or where the token swaps for itself on the way the last that was sent; ours is what the pool received. */
const TAXED = [
  ...[
    "0x0374cabd",
    "0x0fb92ef8",
    "0x266a1aeb",
    "0x38efd6ca",
    "0x54874146",
    "0x71cd3a80",
    "0x71cd3a80",
    "0x8515bccf",
    "0x9ccda1d4",
    "0xaf9dbc8c",
  ],
  ...[
    "0xc069d209",
    "0xc1197a99",
    "0xc56a9503",
    "0xc56a9503",
    "0xc7d8700c",
    "0xca932a79",
    "0xca932a79",
    "0xcd2e38ff",
    "0xd678d4db",
    "0xde448d76",
    "0xdf7384c4",
  ],
];
