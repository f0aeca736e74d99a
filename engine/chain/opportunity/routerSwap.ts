/**
 * The swaps that a call of a Uniswap router asks for, V2's, V3's or the Universal Router's, before anything of it has happened. Most transactions are
 * told apart by their first four bytes.
 *
 *     selector 4 │ words of 32: amounts, recipient, offsets of what has no fixed length │ … │ path
 *     path of V2: length, addresses      of V3: length, token 20 (fee 3, token 20)*, of an exact output from its end
 */
import { bigAt, type FrameBytes, inputAt, inputLength } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET } from "../../frame/schema.ts";
import type { Address } from "../swap.ts";
import { addressAt, bytesIn, elementsIn, numberAt, WORD, wordAt } from "./abiWords.ts";

export interface RouterSwap {
  /** Tokens from the one that is paid to the one that is bought; the chain's own coin stands as its wrapped one. */
  readonly path: readonly Address[];
  /** Of V3's pools the fee of each on the path, hundredths of a bip; undefined: V2's pairs. */
  readonly fees?: readonly number[];
  /** Which of the two amounts is fixed. */
  readonly exact: "in" | "out";
  /** The fixed one; null: what the swap before it in the same call bought. */
  readonly amount: bigint | null;
  /** The least to get (exact in), or the most to pay (exact out): else it reverts. null: of several swaps it is asked together. */
  readonly limit: bigint | null;
  /** The sender allows for a token that keeps a part of each transfer: what reaches a pool may be less than is said here. */
  readonly mayBeTaxed: boolean;
}

/** Reads the arguments behind a selector; gives nothing where they cannot be read: a router would refuse that, too. */
type Reader = (args: Buffer, value: () => bigint) => readonly RouterSwap[];

/** Routers' own quotes go through three pools, hand-made ones a few more: what is longer is no trade. */
export const MAX_PATH = 8;
/** In one call. */
export const MAX_SWAPS = 8;
/** Universal Router: all that the router has of the token. */
const CONTRACT_BALANCE = 1n << 255n;

/** Where a method has its amounts and its path: words of the arguments, or the transaction's value. */
interface Shape {
  readonly exact: RouterSwap["exact"];
  readonly amount: number | "value";
  readonly limit: number | "value";
  readonly path: number;
  readonly kind: "v2" | "v3";
  readonly mayBeTaxed?: true;
  /** An amount of 0 is what the router has, or what was paid to the pool already. */
  readonly ofBalance?: true;
}

function swapIn(args: Buffer, value: () => bigint, shape: Shape): RouterSwap[] {
  const { exact, kind, mayBeTaxed = false, ofBalance = false } = shape;
  const at = (place: number | "value"): bigint | undefined => (place === "value" ? value() : wordAt(args, place));
  const [amount, limit] = [at(shape.amount), at(shape.limit)];
  const path = kind === "v2" ? readPath(args, shape.path) : readFeePath(args, shape.path, exact);
  if (amount === undefined || limit === undefined || path === undefined) return [];
  const isBalance = ofBalance && exact === "in" && (amount === 0n || amount === CONTRACT_BALANCE);
  if (amount === 0n && !isBalance) return [];
  return [{ ...path, exact, amount: isBalance ? null : amount, limit, mayBeTaxed }];
}

const v2 =
  (
    exact: Shape["exact"],
    amount: Shape["amount"],
    limit: Shape["limit"],
    path: number,
    more: Partial<Shape> = {},
  ): Reader =>
  (args, value) =>
    swapIn(args, value, { exact, amount, limit, path, kind: "v2", ...more });

/** exactInputSingle and its like: token in, token out, fee, recipient, perhaps a deadline, the amounts, a price limit. */
const single =
  (exact: Shape["exact"], amount: number): Reader =>
  (args) => {
    const [tokenIn, tokenOut, fee] = [addressAt(args, 0), addressAt(args, 1), numberAt(args, 2)];
    const [fixed, limit, sqrtPriceLimit] = [0, 1, 2].map((i) => wordAt(args, amount + i));
    if (!tokenIn || !tokenOut || fee === undefined || limit === undefined) return [];
    // With a limit to the price it may take a part of its amount only.
    if (fixed === undefined || sqrtPriceLimit !== 0n) return [];
    const isBalance = exact === "in" && fixed === 0n;
    return [
      { path: [tokenIn, tokenOut], fees: [fee], exact, amount: isBalance ? null : fixed, limit, mayBeTaxed: false },
    ];
  };

/** exactInput and its like: one tuple of the path, recipient, perhaps a deadline, and the amounts. */
const along =
  (exact: Shape["exact"], amount: number): Reader =>
  (args, value) => {
    const at = numberAt(args, 0);
    if (at === undefined || at > args.length) return [];
    return swapIn(args.subarray(at), value, { exact, amount, limit: amount + 1, path: 0, kind: "v3", ofBalance: true });
  };

/** Calls of the router itself, of which those that swap count. */
const multicall =
  (place: number): Reader =>
  (args, value) => {
    const calls = elementsIn(args, place) ?? [];
    let least: bigint | null | undefined;
    const swaps = calls.flatMap((call) => {
      const selector = selectorAt(call, 0);
      if (SWEEPS.has(selector)) least = larger(least, wordAt(call.subarray(4), SWEEPS.get(selector)!));
      if (TAXING_SWEEPS.has(selector)) least = null;
      return READERS.get(selector)?.(call.subarray(4), value) ?? [];
    });
    return together(swaps, least);
  };

/** execute(bytes commands, bytes[] inputs): a byte for each of the inputs. */
const commands: Reader = (args, value) => {
  const [list, inputs] = [bytesIn(args, 0), elementsIn(args, 1)];
  if (list === undefined || inputs === undefined || inputs.length < list.length) return [];
  let least: bigint | null | undefined;
  const swaps: RouterSwap[] = [];
  for (const [i, byte] of list.entries()) {
    const [command, input] = [byte & 0x3f, inputs[i]!];
    const shape = COMMANDS.get(command);
    if (shape) swaps.push(...swapIn(input, value, shape));
    else if (command === PAY_PORTION) least = null;
    else if (command === V4_SWAP || command === SUB_PLAN)
      return []; // it may feed the others
    else if (SETTLING.has(command)) least = larger(least, wordAt(input, SETTLING.get(command)!));
  }
  return together(swaps, least);
};

/** The last step may pay out what is left of the input, too, and asks for none of that. */
const larger = (one: bigint | null | undefined, other = 0n): bigint | null =>
  one === null || (one ?? 0n) > other ? one! : other;

/**
 * Swaps of one call. What its last step asks for is one swap's least, where it asks for none itself; of several nobody can say whose.
 * @param least undefined: nothing is asked for at the end; null: what remains of it behind a fee
 */
function together(swaps: readonly RouterSwap[], least: bigint | null | undefined): readonly RouterSwap[] {
  if (swaps.length > MAX_SWAPS) return [];
  const shared = swaps.length === 1 ? least : null;
  if (shared === undefined) return swaps;
  return swaps.map((swap) => (swap.exact === "in" && swap.limit === 0n ? { ...swap, limit: shared } : swap));
}

const [PAY_PORTION, V4_SWAP, SUB_PLAN] = [0x06, 0x10, 0x21];
/** SWEEP and UNWRAP_WETH pay out what there is, at least so much: the place of it. */
const SETTLING: ReadonlyMap<number, number> = new Map([
  [0x04, 2],
  [0x0c, 1],
]);
/** recipient, amount, limit, path, whether the sender pays */
const COMMANDS: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [0x00, { exact: "in", amount: 1, limit: 2, path: 3, kind: "v3", ofBalance: true }],
  [0x01, { exact: "out", amount: 1, limit: 2, path: 3, kind: "v3" }],
  [0x08, { exact: "in", amount: 1, limit: 2, path: 3, kind: "v2", ofBalance: true, mayBeTaxed: true }],
  [0x09, { exact: "out", amount: 1, limit: 2, path: 3, kind: "v2" }],
]);

/** Of a multicall, the place of the least that must be there to be paid out. */
const SWEEPS: ReadonlyMap<number, number> = new Map([
  [0x49404b7c, 0], // unwrapWETH9(uint256,address)
  [0x49616997, 0], // unwrapWETH9(uint256)
  [0xdf2ab5bb, 1], // sweepToken(address,uint256,address)
  [0xe90a182f, 1], // sweepToken(address,uint256)
]);
/** The same with a fee to somebody. */
const TAXING_SWEEPS: ReadonlySet<number> = new Set([0x9b2c0a37, 0xe0e189a0, 0xd4ef38de, 0x3068c554]);

const TAXED = { mayBeTaxed: true } as const;
const OF_BALANCE = { ofBalance: true } as const;
/** Methods by selector. */
const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [0x38ed1739, v2("in", 0, 1, 2)], // swapExactTokensForTokens
  [0x8803dbee, v2("out", 0, 1, 2)], // swapTokensForExactTokens
  [0x7ff36ab5, v2("in", "value", 0, 1)], // swapExactETHForTokens
  [0x4a25d94a, v2("out", 0, 1, 2)], // swapTokensForExactETH
  [0x18cbafe5, v2("in", 0, 1, 2)], // swapExactTokensForETH
  [0xfb3bdb41, v2("out", 0, "value", 1)], // swapETHForExactTokens
  [0x5c11d795, v2("in", 0, 1, 2, TAXED)], // …TokensForTokensSupportingFeeOnTransferTokens
  [0xb6f9de95, v2("in", "value", 0, 1, TAXED)], // …ETHForTokensSupporting…
  [0x791ac947, v2("in", 0, 1, 2, TAXED)], // …TokensForETHSupporting…
  [0x472b43f3, v2("in", 0, 1, 2, OF_BALANCE)], // SwapRouter02: swapExactTokensForTokens without a deadline
  [0x42712a67, v2("out", 0, 1, 2)], // SwapRouter02: swapTokensForExactTokens without a deadline
  [0x414bf389, single("in", 5)], // exactInputSingle
  [0x04e45aaf, single("in", 4)], // SwapRouter02: exactInputSingle without a deadline
  [0xdb3e2198, single("out", 5)], // exactOutputSingle
  [0x5023b4df, single("out", 4)], // SwapRouter02: exactOutputSingle
  [0xc04b8d59, along("in", 3)], // exactInput
  [0xb858183f, along("in", 2)], // SwapRouter02: exactInput
  [0xf28c0498, along("out", 3)], // exactOutput
  [0x09b81346, along("out", 2)], // SwapRouter02: exactOutput
]);
const CONTAINERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [0xac9650d8, multicall(0)], // multicall(bytes[])
  [0x5ae401dc, multicall(1)], // multicall(uint256,bytes[])
  [0x1f0464d1, multicall(1)], // multicall(bytes32,bytes[])
  [0x24856bc3, commands], // execute(bytes,bytes[])
  [0x3593564c, commands], // execute(bytes,bytes[],uint256)
]);

/** @returns empty for any other call, and for one that cannot be read */
export function readRouterSwaps(frames: FrameBytes, frame: number): readonly RouterSwap[] {
  const { bytes } = frames;
  const length = inputLength(frames, frame);
  if (length < 4 + WORD) return [];
  const at = inputAt(frames, frame);
  const reader = readerOf(selectorAt(bytes, at));
  if (reader === undefined) return [];
  const args = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + at + 4, length - 4);
  return reader(args, () => bigAt(frames, frame + OFFSET.value, FIELD_WIDTH.u256));
}

/** The same of a call that is in no frame. @param value of the transaction, wei */
export function routerSwapsOf(input: Buffer, value: bigint): readonly RouterSwap[] {
  const reader = input.length < 4 + WORD ? undefined : readerOf(selectorAt(input, 0));
  return reader?.(input.subarray(4), () => value) ?? [];
}

const readerOf = (selector: number): Reader | undefined => READERS.get(selector) ?? CONTAINERS.get(selector);

const selectorAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

type Path = Pick<RouterSwap, "path" | "fees">;

function readPath(args: Buffer, place: number): Path | undefined {
  const at = numberAt(args, place);
  const count = at === undefined ? undefined : numberAt(args.subarray(at), 0);
  if (at === undefined || count === undefined || count < 2 || count > MAX_PATH) return undefined;
  const tokens = Array.from({ length: count }, (_, i) => addressAt(args.subarray(at + WORD), i));
  return tokens.includes(undefined) ? undefined : { path: tokens as Address[] };
}

/** Of an exact output it stands from the token that is bought. */
function readFeePath(args: Buffer, place: number, exact: RouterSwap["exact"]): Path | undefined {
  const bytes = bytesIn(args, place);
  const hops = bytes === undefined ? 0 : (bytes.length - 20) / 23;
  if (bytes === undefined || !Number.isInteger(hops) || hops < 1 || hops >= MAX_PATH) return undefined;
  const path = Array.from({ length: hops + 1 }, (_, i) => `0x${bytes.toString("hex", i * 23, i * 23 + 20)}`);
  const fees = Array.from({ length: hops }, (_, i) => bytes.readUIntBE(i * 23 + 20, 3));
  return exact === "in" ? { path, fees } : { path: path.reverse(), fees: fees.reverse() };
}
