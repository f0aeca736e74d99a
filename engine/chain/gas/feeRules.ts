import type { FeeRule } from "./baseFee.ts";

const GWEI = 1_000_000_000n;
const HALF = [1n, 2n] as const;
const SIXTH = [1n, 6n] as const;

/**
 * How the base fee of each chain moves. Blocks of forks that are set by time (Optimism, Base) follow from their two-second blocks:
 * Optimism's Canyon = 105,235,063 + (1,704,992,401 − 1,686,068,903) / 2.
 */
export const FEE_RULES: Readonly<Record<number, readonly FeeRule[]>> = {
  // London
  1: [{ from: 12_965_000, target: HALF, changeDenominator: 8n, initial: GWEI }],
  // Bedrock, Canyon, Holocene
  10: [
    { from: 105_235_063, target: SIXTH, changeDenominator: 50n },
    { from: 114_696_812, target: SIXTH, changeDenominator: 250n },
    { from: 130_423_412, parameters: "header" },
  ],
  // BEP-226: the header has a base fee, and it is 0
  56: [{ from: 31_302_048, constant: 0n }],
  // London, Delhi, Bhilai (PIP-58), Dandeli (a target of 65 %), Lisovo (the block's producer chooses)
  137: [
    { from: 23_850_000, target: HALF, changeDenominator: 8n, initial: GWEI },
    { from: 38_189_056, target: HALF, changeDenominator: 16n },
    { from: 73_440_256, target: HALF, changeDenominator: 64n },
    { from: 81_424_000, target: [65n, 100n], changeDenominator: 64n },
    { from: 83_756_500, parameters: "unknown" },
  ],
  // anvil and hardhat, of which our own recording is
  31337: [{ from: 1, target: HALF, changeDenominator: 8n }],
  // genesis, Canyon, Holocene
  8453: [
    { from: 1, target: SIXTH, changeDenominator: 50n },
    { from: 9_101_527, target: SIXTH, changeDenominator: 250n },
    { from: 24_828_127, parameters: "header" },
  ],
  // it prices by the gas of the last seconds, not of the last block
  42161: [{ from: 0, parameters: "unknown" }],
};
