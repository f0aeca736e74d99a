import { type Hex, keccak256 } from "viem";
import { messageOf, ServiceUnavailable } from "../../ops/errors.ts";
import type { RpcBlock, RpcObject } from "../recordingLine.ts";
import { encodeHeader, encodeReceipt, encodeTransaction } from "./consensusEncoding.ts";
import { trieRoot } from "./trieRoot.ts";

/** What a node said contradicts itself, the chain or what was asked: nothing of it is used, and the node is set aside. */
export class LyingNode extends ServiceUnavailable {
  readonly lie: Lie;

  constructor(node: string, lie: Lie, what: string) {
    super(`Cannot believe the node "${node}": ${what}`, {
      next: "Another node of the chain is asked; take this one out of the configuration should it go on",
    });
    this.lie = lie;
  }
}

/** Bounded: they are labels of a metric. */
export type Lie =
  | "malformed"
  | "chain_id"
  | "block_number"
  | "receipts"
  | "transactions"
  | "parent"
  | "header"
  | "root";

/**
 * How far a block was checked. `linked`: transactions and receipts are of this block, complete and in order, as far as the node's own
 * words go. `proven`: also, the header hashes to the block's hash, and its roots are those of the transactions and receipts.
 */
export type Proof = "linked" | "proven";

/**
 * Chains whose headers, transactions and receipts are encoded as consensusEncoding.ts has them: there a root that differs is a lie. Others
 * add kinds of their own (deposits of rollups, Polygon's state sync, which is in no root), and are checked for links alone.
 */
const PROVABLE = new Set([1, 11155111, 17000, 560048, 56, 97, 1337, 31337]);

/** @throws LyingNode where the block is not one, whole and consistent, of that chain and number */
export function verifyBlock(node: string, chainId: number, number: number, read: RpcBlock): Proof {
  const lie = (kind: Lie, what: string): never => {
    throw new LyingNode(node, kind, `block ${number} ${what}`);
  };
  try {
    checkLinks(number, read, lie);
    return PROVABLE.has(chainId) ? proveBlock(read, lie) : "linked";
  } catch (error) {
    if (error instanceof LyingNode) throw error;
    return lie("malformed", `is not a block with transactions and receipts: ${messageOf(error)}`); // a number that is none, say
  }
}

type SayLie = (kind: Lie, what: string) => never;

function checkLinks(number: number, { block, transactions, receipts }: RpcBlock, lie: SayLie): void {
  if (Number(block.number) !== number) lie("block_number", `was asked for, ${Number(block.number)} was given`);
  if (!isHash(block.hash) || !isHash(block.parentHash)) lie("header", "has no hash, or its parent has none");
  transactions.forEach((transaction, index) => {
    if (Number(transaction.transactionIndex) !== index || transaction.blockHash !== block.hash)
      lie("transactions", `has at place ${index} transaction "${transaction.hash}", which says it is elsewhere`);
  });
  if (receipts.length !== transactions.length)
    lie("receipts", `has ${transactions.length} transactions and ${receipts.length} receipts, expected one each`);
  receipts.forEach((receipt, index) => {
    if (receipt.blockHash !== block.hash)
      lie("receipts", `is "${block.hash}", but receipt ${index} is of block "${receipt.blockHash}"`);
    if (receipt.transactionHash !== transactions[index]!.hash)
      lie("receipts", `has at place ${index} the receipt of another transaction`);
    const { logs } = receipt;
    if (!Array.isArray(logs) || logs.some((log) => typeof log !== "object" || log === null))
      lie("receipts", `has a receipt without logs at place ${index}`);
  });
}

function proveBlock({ block, transactions, receipts }: RpcBlock, lie: SayLie): Proof {
  const header = encodeHeader(block);
  if (header && keccak256(header) !== block.hash) lie("header", `has a header whose hash is not "${block.hash}"`);
  const lists: [name: string, list: RpcObject[], encode: (item: RpcObject) => Uint8Array | null, root: unknown][] = [
    ["transactions", transactions, encodeTransaction, block.transactionsRoot],
    ["receipts", receipts, encodeReceipt, block.receiptsRoot],
  ];
  let proof: Proof = header ? "proven" : "linked";
  for (const [name, list, encode, root] of lists) {
    const encoded = list.map(encode);
    if (!isHash(root) || encoded.includes(null)) proof = "linked";
    else if (trieRoot(encoded as Uint8Array[]) !== root) lie("root", `has ${name} that do not make its ${name}Root`);
  }
  return proof;
}

const isHash = (value: unknown): value is Hex => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value);
