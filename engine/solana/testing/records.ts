/** The signature of Solana's documentation of getTransaction. */
export const SIGNATURE = "2nBhEBYYvfaAe16UMNqRHre4YNSskvuYgx3M6E4JP1oDYvZEJHvoPzyUidNgNX5r9sTyN1J9UxtbCXy2rqYcuyuv";

export const RECORD = {
  tx_signature: SIGNATURE,
  block_time: "2024-01-15 10:30:00.123",
  slot: 241_893_457,
  revenue_sol: 0.0325,
  net_profit_sol: "0.031000005",
  dex: "raydium",
  hops: 3,
};

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A signature for a number below 58⁴: the same for the same. */
export function signatureOf(number: number): string {
  let end = "";
  for (let i = 0, rest = number; i < 4; i++, rest = Math.floor(rest / 58)) end = ALPHABET[rest % 58]! + end;
  return SIGNATURE.slice(0, -4) + end;
}
