import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BUNDLED } from "./bundled.ts";
import { addressSchema, keyOf, labelBody } from "./label.ts";

test("bundled labels are what a user could have said, each address of a chain once", () => {
  expect(BUNDLED.length).toBeGreaterThan(50);
  expect(new Set(BUNDLED.map(keyOf)).size).toBe(BUNDLED.length);
  for (const { chainId: _, address, ...said } of BUNDLED) {
    expect(addressSchema.parse(address)).toBe(address);
    expect(labelBody.parse(said)).toEqual(said);
  }
});

test("tokens of mainnet have the symbols and decimals that its blocks are known to have", (context) => {
  const file = new URL("../../../shared/data/tokens.json", import.meta.url);
  if (!existsSync(file)) context.skip("no mainnet data beside the checkout");
  const known = JSON.parse(readFileSync(file, "utf8")) as Record<string, { symbol?: string; decimals?: number }>;
  const both = BUNDLED.filter(({ chainId, address }) => chainId === 1 && known[address]?.symbol !== undefined);
  expect(both.length).toBeGreaterThan(20);
  for (const { address, symbol, decimals } of both) expect({ symbol, decimals }).toEqual(known[address]);
});
