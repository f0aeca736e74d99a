/**
 * What a call of a Uniswap V2 router asks for, before anything of it has happened. Read where it lies in the frame; most
 * transactions are told apart by their first four bytes.
 *
 *     selector 4 │ words of 32: amounts, offset of the path, recipient, deadline │ … │ path: length, addresses
 */
import { bigAt, type FrameBytes, inputAt, inputLength } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET } from "../../frame/schema.ts";
import type { Address } from "../swap.ts";

export interface RouterSwap {
  /** Tokens from the one that is paid to the one that is bought; the chain's own coin stands as its wrapped one. */
  readonly path: readonly Address[];
  /** Which of the two amounts is fixed. */
  readonly exact: "in" | "out";
  /** The fixed one. */
  readonly amount: bigint;
  /** The least to get (exact in), or the most to pay (exact out): else it reverts. */
  readonly limit: bigint;
  /** The sender allows for a token that keeps a part of each transfer: what reaches a pool may be less than is said here. */
  readonly mayBeTaxed: boolean;
}

/** Where a method has its amounts and its path: words of the input, or the transaction's value. */
interface Shape {
  readonly exact: RouterSwap["exact"];
  readonly amount: number | "value";
  readonly limit: number | "value";
  readonly path: number;
  readonly mayBeTaxed?: true;
}

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [0x38ed1739, { exact: "in", amount: 0, limit: 1, path: 2 }], // swapExactTokensForTokens
  [0x8803dbee, { exact: "out", amount: 0, limit: 1, path: 2 }], // swapTokensForExactTokens
  [0x7ff36ab5, { exact: "in", amount: "value", limit: 0, path: 1 }], // swapExactETHForTokens
  [0x4a25d94a, { exact: "out", amount: 0, limit: 1, path: 2 }], // swapTokensForExactETH
  [0x18cbafe5, { exact: "in", amount: 0, limit: 1, path: 2 }], // swapExactTokensForETH
  [0xfb3bdb41, { exact: "out", amount: 0, limit: "value", path: 1 }], // swapETHForExactTokens
  [0x5c11d795, { exact: "in", amount: 0, limit: 1, path: 2, mayBeTaxed: true }], // …TokensForTokensSupportingFeeOnTransferTokens
  [0xb6f9de95, { exact: "in", amount: "value", limit: 0, path: 1, mayBeTaxed: true }], // …ETHForTokensSupporting…
  [0x791ac947, { exact: "in", amount: 0, limit: 1, path: 2, mayBeTaxed: true }], // …TokensForETHSupporting…
  [0x472b43f3, { exact: "in", amount: 0, limit: 1, path: 2 }], // SwapRouter02: swapExactTokensForTokens without a deadline
  [0x42712a67, { exact: "out", amount: 0, limit: 1, path: 2 }], // SwapRouter02: swapTokensForExactTokens without a deadline
]);

/** Routers' own quotes go through three pools, hand-made ones a few more: what is longer is no trade. */
export const MAX_PATH = 8;
const WORD = 32;

/** @returns undefined for any other call, and for one that cannot be read: a router would refuse that, too */
export function readRouterSwap(frames: FrameBytes, frame: number): RouterSwap | undefined {
  const { bytes } = frames;
  const length = inputLength(frames, frame);
  if (length < 4 + WORD) return undefined;
  const at = inputAt(frames, frame);
  const shape = shapeAt(bytes, at);
  if (shape === undefined) return undefined;
  const args = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + at + 4, length - 4);
  return swapOf(shape, args, () => bigAt(frames, frame + OFFSET.value, FIELD_WIDTH.u256));
}

/** The same of a call that is in no frame. @param value of the transaction, wei */
export function routerSwapOf(input: Buffer, value: bigint): RouterSwap | undefined {
  const shape = input.length < 4 + WORD ? undefined : shapeAt(input, 0);
  return shape && swapOf(shape, input.subarray(4), () => value);
}

const shapeAt = (bytes: Uint8Array, at: number): Shape | undefined =>
  SHAPES.get(((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0);

function swapOf(shape: Shape, args: Buffer, value: () => bigint): RouterSwap | undefined {
  const numberIn = (place: number | "value"): bigint | undefined =>
    place === "value" ? value() : wordAt(args, place * WORD);
  const amount = numberIn(shape.amount);
  const limit = numberIn(shape.limit);
  const path = readPath(args, smallAt(args, shape.path * WORD));
  if (amount === undefined || amount === 0n || limit === undefined || path === undefined) return undefined;
  return { path, exact: shape.exact, amount, limit, mayBeTaxed: shape.mayBeTaxed ?? false };
}

function readPath(args: Buffer, at: number | undefined): Address[] | undefined {
  const count = at === undefined ? undefined : smallAt(args, at);
  if (at === undefined || count === undefined || count < 2 || count > MAX_PATH) return undefined;
  if (at + WORD + count * WORD > args.length) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const end = at + WORD + (i + 1) * WORD;
    return `0x${args.toString("hex", end - 20, end)}`;
  });
}

/** A word as a number, if it is one that can be an offset or a count here. */
function smallAt(args: Buffer, at: number): number | undefined {
  if (at + WORD > args.length) return undefined;
  for (let i = at; i < at + WORD - 4; i++) if (args[i] !== 0) return undefined;
  return args.readUInt32BE(at + WORD - 4);
}

const wordAt = (args: Buffer, at: number): bigint | undefined =>
  at + WORD > args.length ? undefined : BigInt(`0x${args.toString("hex", at, at + WORD)}`);
