/** Findings say USD in six decimals, and the columns hold as many: millionths of a dollar; null stays null. */
export const usdColumn = (usd: number | null | undefined): bigint | null =>
  usd === null || usd === undefined ? null : BigInt(Math.round(usd * 1e6));
