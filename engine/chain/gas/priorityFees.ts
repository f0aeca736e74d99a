/** What a transaction paid the block's producer per gas, and for how much gas. */
export interface Tip {
  /** Price paid − base fee, wei per gas; before EIP-1559 the whole price. */
  readonly fee: bigint;
  readonly gasUsed: bigint;
}

/**
 * Priority fees at percentiles of the block's gas, as eth_feeHistory has them (go-ethereum, eth/gasprice/feehistory.go): of the
 * transactions in ascending order of their fee, the first up to which so much of the gas was used. All zero for a block without any.
 *
 * @param percentiles 0 to 100
 * @returns wei per gas, in the order of the percentiles
 */
export function priorityFees(tips: readonly Tip[], percentiles: readonly number[]): bigint[] {
  const sorted = [...tips].sort((a, b) => (a.fee < b.fee ? -1 : a.fee > b.fee ? 1 : 0));
  const total = sorted.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  return percentiles.map((percentile) => {
    const threshold = BigInt(Math.floor((Number(total) * percentile) / 100));
    let used = 0n;
    for (const { fee, gasUsed } of sorted) {
      used += gasUsed;
      if (used >= threshold) return fee;
    }
    return sorted.at(-1)?.fee ?? 0n;
  });
}
