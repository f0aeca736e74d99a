/**
 * What a transaction paid beside gas × price: for its data on L1, for blobs. Receipts say so in members that frames have no field for, so
 * they are read from `extra`, where most frames have nothing of the kind.
 *
 *     Optimism, Base   l1Fee (wei, paid on top), l1GasUsed, l1GasPrice, l1BlobBaseFee (wei per gas)
 *     Arbitrum         gasUsedForL1 (a part of gasUsed: nothing is paid on top)
 *     EIP-4844         blobGasUsed × blobGasPrice (paid on top)
 */
import { splitExtra } from "../../frame/extra.ts";
import { bigAt, extraText, type FrameBytes, has } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";

/** Amounts in wei, prices in wei per gas; null: the receipt does not say, or says what is no quantity. */
export interface NetworkFees {
  readonly l1Fee: bigint | null;
  readonly l1GasUsed: bigint | null;
  readonly l1GasPrice: bigint | null;
  readonly l1BlobBaseFee: bigint | null;
  readonly gasUsedForL1: bigint | null;
  readonly blobGasUsed: bigint | null;
  readonly blobGasPrice: bigint | null;
}

const NAMES = [
  "l1Fee",
  "l1GasUsed",
  "l1GasPrice",
  "l1BlobBaseFee",
  "gasUsedForL1",
  "blobGasUsed",
  "blobGasPrice",
] as const;
const NONE = Object.freeze(Object.fromEntries(NAMES.map((name) => [name, null]))) as unknown as NetworkFees;

/** @param frame byte offset */
export const networkFees = (frames: FrameBytes, frame: number): NetworkFees =>
  frames.u32[(frame + OFFSET.extraLength) >> 2] === 0 ? NONE : networkFeesOf(extraText(frames, frame));

/** @param extra the part `extra` of a frame, or the column of that name */
export function networkFeesOf(extra: string): NetworkFees {
  if (!/"receipt\.(?:l1|gasUsedForL1|blobGas)/.test(extra)) return NONE;
  const fees: Record<string, bigint | null> = { ...NONE };
  for (const member of splitExtra(extra)) {
    const found = /^"receipt\.(\w+)":"(0x[0-9a-f]{1,64})"$/i.exec(member);
    if (found !== null && Object.hasOwn(fees, found[1]!)) fees[found[1]!] = BigInt(found[2]!);
  }
  return fees as unknown as NetworkFees;
}

/**
 * All that a transaction paid its chain, wei: gas × price, data on L1 and blobs. null where its receipt does not say what it used or paid.
 *
 * @param frame byte offset
 */
export function totalFee(frames: FrameBytes, frame: number): bigint | null {
  if (!has(frames, frame, PRESENT.gasUsed) || !has(frames, frame, PRESENT.effectiveGasPrice)) return null;
  const gasUsed = bigAt(frames, frame + OFFSET.gasUsed, 8);
  const { l1Fee, blobGasUsed, blobGasPrice } = networkFees(frames, frame);
  return (
    gasUsed * bigAt(frames, frame + OFFSET.effectiveGasPrice, 16) +
    (l1Fee ?? 0n) +
    (blobGasUsed ?? 0n) * (blobGasPrice ?? 0n)
  );
}
