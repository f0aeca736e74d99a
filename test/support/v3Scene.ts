/** Uniswap V3 and Multicall3 beside the V2 scene on its node: pools of ether and oak at two fees, with liquidity in several ranges, and what trades there. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Hex, maxUint256, parseEther } from "viem";
import { expect } from "vitest";
import { squareRoot } from "../../engine/chain/opportunity/constantProduct.ts";
import { call, creation } from "../recordings/make/contracts.ts";
import { DEADLINE, type Sent, type V2Scene } from "./v2Scene.ts";

export const TICK_SPACINGS = { 500: 10, 3000: 60 } as const;
type Fee = keyof typeof TICK_SPACINGS;

export type V3Scene = Awaited<ReturnType<typeof setV3Scene>>;

export async function setV3Scene(scene: V2Scene) {
  const { owner, weth, oak, pine, executor, mine, read } = scene;
  const multicall3 = deployedBytecode();
  const deploy = async (...codes: Hex[]): Promise<Hex[]> =>
    (await mine(...codes.map((data) => ({ from: owner, data, gas: 8_000_000n })))).map(
      ({ contractAddress }) => contractAddress!,
    );
  const [v3, multicall] = (await deploy(creation("v3Factory"), multicall3)) as [Hex, Hex];
  const [v3Router, positions] = (await deploy(
    creation("v3Router", [v3, weth]),
    creation("v3Positions", [v3, weth, owner]), // the third, a picture maker, is never asked
  )) as [Hex, Hex];

  const byOwner = (to: Hex, data: Hex, value = 0n): Sent => ({ from: owner, to, data, value, gas: 8_000_000n });
  const approve = (token: Hex, spender: Hex) => ({ to: token, data: call("token", "approve", [spender, maxUint256]) });
  await mine(
    byOwner(weth, call("weth", "deposit"), parseEther("5000")),
    ...[weth, oak, pine].map((token) => byOwner(token, approve(token, positions).data)),
    scene.execute([approve(weth, v3Router), approve(oak, v3Router)]),
  );

  const sorted = (one: Hex, other: Hex): [Hex, Hex] => (one < other ? [one, other] : [other, one]);
  /** @param ratio how much of `other` one of `one` is worth */
  async function createPool(one: Hex, other: Hex, fee: Fee, ratio: bigint): Promise<void> {
    const [token0, token1] = sorted(one, other);
    const price = token0 === one ? ratio << 192n : (1n << 192n) / ratio;
    await mine(byOwner(positions, call("v3Positions", "createAndInitializePoolIfNecessary", [token0, token1, fee, squareRoot(price)]))); // biome-ignore format: one call
  }
  /** Liquidity between two ticks, of up to so much of either token. */
  async function mint(
    one: Hex,
    other: Hex,
    fee: Fee,
    tickLower: number,
    tickUpper: number,
    most: bigint,
  ): Promise<void> {
    const [token0, token1] = sorted(one, other);
    const amounts = { amount0Desired: most, amount1Desired: most, amount0Min: 0n, amount1Min: 0n };
    const position = { token0, token1, fee, tickLower, tickUpper, ...amounts, recipient: owner, deadline: DEADLINE };
    await mine(byOwner(positions, call("v3Positions", "mint", [position])));
  }
  const poolAt = async (one: Hex, other: Hex, fee: Fee): Promise<Hex> =>
    `0x${(await read(v3, call("v3Factory", "getPool", [one, other, fee]))).slice(26)}`;
  async function tickOf(pool: Hex): Promise<number> {
    return Number(BigInt.asIntN(24, BigInt(`0x${(await read(pool, call("v3Pool", "slot0"))).slice(66, 130)}`)));
  }

  await createPool(weth, oak, 3000, 90n);
  await createPool(weth, oak, 500, 90n);
  await createPool(oak, pine, 500, 5n);
  for (const [one, other, fee] of [
    [weth, oak, 3000],
    [weth, oak, 500],
    [oak, pine, 500],
  ] as const) {
    // biome-ignore format: a line
    const spacing = TICK_SPACINGS[fee];
    const tick = Math.floor((await tickOf(await poolAt(one, other, fee))) / spacing) * spacing;
    const edge = Math.floor(887_272 / spacing) * spacing;
    await mint(one, other, fee, -edge, edge, parseEther("4000"));
    for (const [below, above] of [[-3, 4], [-20, 1], [2, 40], [-300, 280]] as const) // biome-ignore format: a line
      await mint(one, other, fee, tick + below * spacing, tick + above * spacing, parseEther("900"));
  }

  return {
    ...{ v3, v3Router, multicall, poolAt, positions },
    single: (name: "exactInputSingle" | "exactOutputSingle", path: readonly [Hex, Hex], fee: Fee, to: Hex, amount: bigint, limit: bigint) =>
      call("v3Router", name, [[...path, fee, to, DEADLINE, amount, limit, 0n]]),
    /** A trade by the searcher's contract. */
    trade: (path: readonly [Hex, Hex], fee: Fee, amount: bigint, least = 0n) => ({
      to: v3Router,
      data: call("v3Router", "exactInputSingle", [[...path, fee, executor, DEADLINE, amount, least, 0n]]),
    }),
    async stateOf(pool: Hex) {
      const slot = await read(pool, call("v3Pool", "slot0"));
      const liquidity = BigInt(await read(pool, call("v3Pool", "liquidity")));
      expect(liquidity).toBeGreaterThan(0n);
      return { sqrtPriceX96: BigInt(slot.slice(0, 66)), tick: await tickOf(pool), liquidity };
    },
    mint,
  }; // biome-ignore format: parts
}

/** Multicall3 as its author deployed it, which viem carries to call it where it is not. */
function deployedBytecode(): Hex {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve("viem")), "constants/contracts.js");
  return (require(file) as { multicall3Bytecode: Hex }).multicall3Bytecode;
}
