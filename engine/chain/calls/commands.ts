import type { Address } from "../swap.ts";

/** Commands of Uniswap's Universal Router by their lower six bits (`Commands.sol`); the highest says that it may fail. */
const COMMANDS: Readonly<Record<number, string>> = {
  0: "V3_SWAP_EXACT_IN",
  1: "V3_SWAP_EXACT_OUT",
  2: "PERMIT2_TRANSFER_FROM",
  3: "PERMIT2_PERMIT_BATCH",
  4: "SWEEP",
  5: "TRANSFER",
  6: "PAY_PORTION",
  8: "V2_SWAP_EXACT_IN",
  9: "V2_SWAP_EXACT_OUT",
  10: "PERMIT2_PERMIT",
  11: "WRAP_ETH",
  12: "UNWRAP_WETH",
  13: "PERMIT2_TRANSFER_FROM_BATCH",
  14: "BALANCE_CHECK_ERC20",
  16: "V4_SWAP",
  17: "V3_POSITION_MANAGER_PERMIT",
  18: "V3_POSITION_MANAGER_CALL",
  19: "V4_INITIALIZE_POOL",
  20: "V4_POSITION_MANAGER_CALL",
  33: "EXECUTE_SUB_PLAN",
};

/** A plan within the plan: commands and inputs once more. */
export const SUB_PLAN = "EXECUTE_SUB_PLAN";

/** The first two routers, of which 16 and above trade NFTs, each in its own way. */
const BEFORE_V4: ReadonlySet<Address | null> = new Set([
  "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b",
  "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
]);

/** @param router whose command it is */
export function commandName(command: number, router: Address | null): string | null {
  const number = command & 0x3f;
  return number >= 16 && number !== 33 && BEFORE_V4.has(router) ? null : (COMMANDS[number] ?? null);
}
