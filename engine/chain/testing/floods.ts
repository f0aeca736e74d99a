/** Floods of logs, as strangers could make them: each for one thing that could be looked for over and over, 1 to 6 logs a round. */
import { readFileSync } from "node:fs";
import * as l from "./logs.ts";

export type Logs = Parameters<typeof l.blockOf>[0];
const { WETH, named } = l;
const [A, B, POOL, OTHER, BOT] = ["alpha", "beta", "pool", "other", "bot"].map(named) as [string, string, string, string, string]; // biome-ignore format: one line
const MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90";

/** Of these floods work is counted: so many logs, and 8 times as many. */
export const FEW = 300;

/** Real logs of liquidations. */
export const LIQUIDATIONS: Logs = (
  JSON.parse(readFileSync(new URL("../mev/lenders/fixtures.json", import.meta.url), "utf8")) as { log: Logs[number] }[]
).map(({ log }) => log);

/** A swap of a token, which is lower than WETH, through a pair. */
export const trade = (pool: string, who: string, buys: "A" | "WETH", amountIn: bigint, amountOut: bigint): Logs => {
  const [tokenIn, tokenOut] = buys === "A" ? [WETH, A] : [A, WETH];
  return [
    l.transfer(tokenIn, who, pool, amountIn),
    l.transfer(tokenOut, pool, who, amountOut),
    buys === "A"
      ? l.swapV2(pool, [0, amountIn], [amountOut, 0], who)
      : l.swapV2(pool, [amountIn, 0], [0, amountOut], who),
  ];
};
/** By what they are of: so many logs. */
export const floods: Record<string, (count: number) => Logs> = {
  "swaps of one pool, all alike": (count) => rounds(count / 3, () => trade(POOL, BOT, "A", 9n, 8n)),
  "swaps to and fro between two pools": (count) =>
    rounds(count / 6, () => [...trade(POOL, BOT, "A", 9n, 8n), ...trade(OTHER, BOT, "WETH", 8n, 9n)]),
  "liars' tokens by the thousand, then swaps of a manager": (count) => [
    ...rounds(count / 4, (i) => [l.transfer(named(`a${i}`), BOT, MANAGER, 9), l.transfer(named(`b${i}`), MANAGER, BOT, 8)]),
    ...rounds(count / 2, (i) => [l.swapV4(MANAGER, i, -9, 8)]),
  ],
  "coin unwrapped by the thousand, then exchanges": (count) => [
    ...rounds(count / 2, () => [l.withdrawal(WETH, BOT, 9)]),
    ...rounds(count / 4, () => [l.transfer(B, POOL, BOT, 8), l.exchangeCurve(POOL, BOT, 0, 9, 1, 8)]),
  ],
  "one swap through all bins": (count) => [
    ...[l.transfer(A, BOT, POOL, 9 * (count - 2)), l.transfer(B, POOL, BOT, 8 * (count - 2))],
    ...rounds(count - 2, (i) => [l.swapBin(POOL, i, [9n, 0n], [0n, 8n], BOT)]),
  ],
  "amounts that differ in their upper bits, at a vault": (count) => [
    ...rounds(count / 2, (i) => [l.transfer(A, BOT, MANAGER, (BigInt(i) << 64n) | 7n)]),
    ...rounds(count / 2, (i) => [l.swapBalancerV2(MANAGER, i, A, B, (BigInt(i) << 64n) | 7n, 8)]),
  ],
  "liquidations of one account": (count) => rounds(count, () => [LIQUIDATIONS[0]!]),
  "transfers alone": (count) => rounds(count, (i) => [l.transfer(A, BOT, POOL, i)]),
  "reserves alone": (count) => rounds(count, (i) => [l.sync(POOL, i, i + 1)]),
}; // biome-ignore format: a flood a few lines

function rounds(count: number, logs: (i: number) => Logs): Logs {
  return Array.from({ length: Math.floor(count) }, (_, i) => logs(i)).flat();
}
