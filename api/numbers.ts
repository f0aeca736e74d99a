/** Numbers at the edge: a JSON number for reading, exact text beside it. */

/** Decimal text to a number; null stays null. Exact up to 2^53, nearest beyond. */
export function toNumber(text: string): number;
export function toNumber(text: string | null): number | null;
export function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/** An amount in its smallest unit as a number of the larger one, correctly rounded: `toUnits("1500000000", 9)` is 1.5. */
export function toUnits(text: string, decimals: number): number;
export function toUnits(text: string | null, decimals: number): number | null;
export function toUnits(text: string | null, decimals: number): number | null {
  // through the decimal exponent: dividing would round twice
  return text === null ? null : Number(`${text}e-${decimals}`);
}

export const GWEI = 9;
export const ETHER = 18;
