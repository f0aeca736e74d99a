import type { RpcBlock, RpcObject } from "../recordingLine.ts";
import { RpcError } from "./connection.ts";
import { type Endpoint, NotThere } from "./endpoints.ts";
import { LyingNode, type Proof, verifyBlock } from "./verifyBlock.ts";

/** A block as far as a chain of them is concerned. */
export interface BlockRef {
  readonly number: number;
  readonly hash: string;
}

export interface ReadBlock extends RpcBlock, BlockRef {
  readonly parentHash: string;
  readonly proof: Proof;
}

export type BlockReader = (endpoint: Endpoint, number: number) => Promise<ReadBlock>;

export const tagOf = (number: number): string => `0x${number.toString(16)}`;

/** How often a block is read that was replaced while it was read. */
const ATTEMPTS = 3;

/**
 * Reads a block with its transactions and receipts from one node, and checks it. `eth_getBlockReceipts` where the node has it, else a
 * call for each transaction (in HTTP batches).
 */
export function createBlockReader(chainId: number): BlockReader {
  const withoutBlockReceipts = new Set<string>();

  return async function read(endpoint, number) {
    for (let attempt = 1; ; attempt++) {
      const block = await readHeader(endpoint, number, true);
      const transactions = Array.isArray(block.transactions) ? (block.transactions as RpcObject[]) : [];
      const receipts = await readReceipts(endpoint, tagOf(number), transactions);
      try {
        const proof = verifyBlock(endpoint.name, chainId, number, { block, transactions, receipts });
        const { hash, parentHash } = block as { hash: string; parentHash: string };
        return { number, hash, parentHash, proof, block, transactions, receipts };
      } catch (error) {
        // Two calls are not one: the block may have been replaced between them, which is nobody's lie.
        if (!(error instanceof LyingNode) || attempt === ATTEMPTS) throw error;
        if ((await readHeader(endpoint, number, false)).hash === block.hash) throw error;
      }
    }
  };

  async function readReceipts(endpoint: Endpoint, tag: string, transactions: RpcObject[]): Promise<RpcObject[]> {
    if (transactions.length === 0) return [];
    if (!withoutBlockReceipts.has(endpoint.name)) {
      try {
        const receipts = await endpoint.request<RpcObject[] | null>("eth_getBlockReceipts", [tag]);
        if (Array.isArray(receipts)) return receipts;
      } catch (error) {
        if (!(error instanceof RpcError && error.unsupported)) throw error;
        withoutBlockReceipts.add(endpoint.name);
      }
    }
    const receipts = await Promise.all(
      transactions.map(({ hash }) => endpoint.request<RpcObject | null>("eth_getTransactionReceipt", [hash])),
    );
    return receipts.filter((receipt) => receipt !== null);
  }
}

/** A block's header, with its transactions where they are asked for. @throws NotThere where the node has none */
export async function readHeader(endpoint: Endpoint, number: number, full: boolean): Promise<RpcObject> {
  const block = await endpoint.request<RpcObject | null>("eth_getBlockByNumber", [tagOf(number), full]);
  if (block) return block;
  const promised = endpoint.head() >= number;
  if (promised) endpoint.setHead(number - 1);
  throw new NotThere(
    `Cannot read block "${number}" from "${endpoint.name}": the node has none, expected it below its own head; ` +
      "it may lag or have pruned the block, use another RPC URL or a later first block",
    { promised },
  );
}
