import { expect, test } from "vitest";
import { bundledLabel } from "./bundled.ts";
import { formatAmount, markedAddresses, renderMessage } from "./message.ts";

const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d";
const NOBODY = `0x12${"0".repeat(34)}abcd`;
const shown = (message: string, chainId = 1) => renderMessage(message, (address) => bundledLabel({ chainId, address }));

test("marks of amounts and addresses read as they are labelled on the message's chain", () => {
  const swap = `{12300000000000000000 of ${WETH}} → {40120000000 of ${USDC}} by {${ROUTER}}`;
  expect(shown(swap)).toBe("12.3 WETH → 40,120 USDC by Uniswap V2: Router");
  expect(shown(swap, 5)).toBe("12300000000000000000 of 0xc02a…6cc2 → 40120000000 of 0xa0b8…eb48 by 0x7a25…488d");
  expect(markedAddresses(swap)).toEqual([WETH, USDC, ROUTER]);
});

test("an unknown address is short; an amount of what is no token stays as it is", () => {
  expect(shown(`{${NOBODY}} got {5 of ${NOBODY}} and {7 of ${ROUTER}}`)).toBe(
    "0x1200…abcd got 5 of 0x1200…abcd and 7 of Uniswap V2: Router",
  );
});

test("what is no mark is left alone", () => {
  for (const text of [
    "{}",
    "{5 of USDC}",
    `{-5 of ${WETH}}`,
    `{${WETH.toUpperCase()}}`,
    `{5 of ${WETH}`,
    `{${WETH}0}`,
    "$&",
  ])
    expect(shown(text)).toBe(text);
  // names are not read again, whatever stands in them
  const label = { chainId: 1, address: NOBODY, name: "$& $1", symbol: "$&", decimals: 0 };
  expect(renderMessage(`{${NOBODY}} {1 of ${NOBODY}}`, () => label)).toBe("$& $1 1 $&");
});

test("amounts are grouped and cut, never rounded up", () => {
  const amounts: [bigint, number, string][] = [
    [0n, 18, "0"],
    [0n, 0, "0"],
    [1n, 18, "0.000000000000000001"],
    [123_456_789n, 18, "0.0000000001234"],
    [999_999n, 6, "0.9999"],
    [1_000_000n, 6, "1"],
    [1_999_999n, 6, "1.9999"],
    [999_999_999n, 6, "999.9999"],
    [1_000_999_999n, 6, "1,000.99"],
    [1_234_567n, 0, "1,234,567"],
    [2n ** 256n - 1n, 77, "1.1579"],
  ];
  for (const [value, decimals, text] of amounts) expect(formatAmount(value, decimals)).toBe(text);
});
