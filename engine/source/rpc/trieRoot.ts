import { type Hex, keccak256, toHex } from "viem";
import { number, type Rlp, rlp } from "./rlp.ts";

const EMPTY = Buffer.alloc(0);

/**
 * The root of the Merkle Patricia trie over rlp(index) → value: how a header commits to its block's transactions and receipts
 * (Yellow Paper, 4.3.2 and appendix D).
 *
 * @param values each as its consensus encoding; @returns 32 bytes
 */
export function trieRoot(values: readonly Uint8Array[]): Hex {
  if (values.length === 0) return keccak256(rlp(EMPTY));
  const items = values.map((value, index) => ({ path: rlp(number(index)).toString("hex"), value }));
  return toHex(keccak256(rlp(node(items, 0)), "bytes"));
}

interface Item {
  /** nibbles; rlp(index) is never the prefix of another */
  readonly path: string;
  readonly value: Uint8Array;
}

/** The node under which `items` lie, whose paths agree in the first `depth` nibbles: a leaf, an extension or a branch. */
function node(items: readonly Item[], depth: number): Rlp {
  const [first] = items;
  if (items.length === 1) return [compact(first!.path.slice(depth), true), first!.value];
  let fork = depth;
  while (items.every(({ path }) => path[fork] === first!.path[fork])) fork++;
  if (fork > depth) return [compact(first!.path.slice(depth, fork), false), reference(node(items, fork))];
  const children = [..."0123456789abcdef"].map((nibble) => {
    const below = items.filter(({ path }) => path[depth] === nibble);
    return below.length === 0 ? EMPTY : reference(node(below, depth + 1));
  });
  return [...children, EMPTY];
}

/** A node of less than 32 bytes stands in its parent itself, others by their hash. */
function reference(child: Rlp): Rlp {
  const encoded = rlp(child);
  return encoded.length < 32 ? child : keccak256(encoded, "bytes");
}

/** Nibbles as bytes: the first nibble says leaf (2) or extension (0), plus 1 for an odd number, else a 0 fills up. */
const compact = (nibbles: string, leaf: boolean): Buffer =>
  Buffer.from(nibbles.length % 2 ? `${leaf ? 3 : 1}${nibbles}` : `${leaf ? 2 : 0}0${nibbles}`, "hex");
