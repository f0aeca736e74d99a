import { type Hex, keccak256, toRlp } from "viem";

/** What RLP encodes: bytes, or a list of such. */
export type Rlp = Hex | readonly Rlp[];

/** A number as RLP wants it: big-endian without leading zeros, 0 is empty. @param value hex or decimal text, or a number */
export function rlpNumber(value: unknown): Hex {
  const number = BigInt(value as string);
  if (number === 0n) return "0x";
  const digits = number.toString(16);
  return `0x${digits.length % 2 ? "0" : ""}${digits}`;
}

export const rlp = (value: Rlp): Hex => toRlp(value as Hex);

/**
 * The root of the Merkle Patricia trie over rlp(index) → value: how a header commits to its block's transactions and receipts
 * (Yellow Paper, 4.3.2 and appendix D).
 *
 * @param values each as its consensus encoding; @returns 32 bytes
 */
export function trieRoot(values: readonly Hex[]): Hex {
  if (values.length === 0) return keccak256(rlp("0x"));
  const items = values.map((value, index) => ({ path: rlp(rlpNumber(index)).slice(2), value }));
  return keccak256(rlp(node(items, 0)));
}

interface Item {
  /** nibbles; rlp(index) is never the prefix of another */
  readonly path: string;
  readonly value: Hex;
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
    return below.length === 0 ? "0x" : reference(node(below, depth + 1));
  });
  return [...children, "0x"];
}

/** A node of less than 32 bytes stands in its parent itself, others by their hash. */
function reference(child: Rlp): Rlp {
  const encoded = rlp(child);
  return encoded.length < 2 + 2 * 32 ? child : keccak256(encoded);
}

/** Nibbles as bytes: the first nibble says leaf (2) or extension (0), plus 1 for an odd number, else a 0 fills up. */
const compact = (nibbles: string, leaf: boolean): Hex =>
  nibbles.length % 2 ? `0x${leaf ? 3 : 1}${nibbles}` : `0x${leaf ? 2 : 0}0${nibbles}`;
