import { createRequire } from "node:module";
import { type Abi, encodeDeployData, encodeFunctionData, type Hex } from "viem";

/** The compiled contracts as their authors publish them on npm. */
const artifactPaths = {
  weth: "@uniswap/v2-periphery/build/WETH9.json",
  taxed: "@uniswap/v2-periphery/build/DeflatingERC20.json",
  v2Factory: "@uniswap/v2-core/build/UniswapV2Factory.json",
  v2Pair: "@uniswap/v2-core/build/UniswapV2Pair.json",
  v2Router: "@uniswap/v2-periphery/build/UniswapV2Router02.json",
  v3Factory: "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
  v3Pool: "@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json",
  v3Router: "@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json",
  v3Positions:
    "@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
  v3Quoter: "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json",
  token: "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json",
  proxyAdmin: "@openzeppelin/contracts/build/contracts/ProxyAdmin.json",
  proxy: "@openzeppelin/contracts/build/contracts/TransparentUpgradeableProxy.json",
} as const;

export type ContractName = keyof typeof artifactPaths;

const require = createRequire(import.meta.url);
const artifacts = Object.fromEntries(
  Object.entries(artifactPaths).map(([name, path]) => {
    const { abi, bytecode } = require(path) as { abi: Abi; bytecode: string };
    return [name, { abi, bytecode: (bytecode.startsWith("0x") ? bytecode : `0x${bytecode}`) as Hex }];
  }),
) as Record<ContractName, { abi: Abi; bytecode: Hex }>;

export const abiOf = (name: ContractName): Abi => artifacts[name].abi;

/** Data of the transaction that creates the contract. */
export function creation(name: ContractName, args: unknown[] = []): Hex {
  return encodeDeployData({ ...artifacts[name], args });
}

/** Data of a call: `call("token", "transfer", [to, amount])`. */
export function call(name: ContractName, functionName: string, args: unknown[] = []): Hex {
  return encodeFunctionData({ abi: artifacts[name].abi, functionName, args });
}
