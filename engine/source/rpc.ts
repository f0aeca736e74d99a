import { setTimeout as sleep } from "node:timers/promises";
import { createRpcClient, type RpcClient, RpcError } from "./jsonRpc.ts";
import { createPendingWatch } from "./pendingWatch.ts";
import type { RpcBlock, RpcObject } from "./recordingLine.ts";

/** What a chain does, in the order in which it may be written down: a sighting always precedes its block. */
export type ChainEvent =
  | { kind: "pending"; transaction: RpcObject; seenAt: number }
  | ({ kind: "block"; number: number } & RpcBlock);

export type RpcSourceOptions = {
  /** http(s) or ws(s); the first that answers serves a call. */
  urls: string[];
  /** First block; default: the first that is mined from now on, or with toBlock the newest. */
  fromBlock?: number;
  /** Last block, then the events end; default: follow the chain until the signal. */
  toBlock?: number;
  /** Also yield pending transactions as the node announces them. */
  pending?: boolean;
  /** How long to wait when there is nothing new; default 500 ms. */
  pollMs?: number;
  signal?: AbortSignal;
  /** The clock of `seenAt`, Unix milliseconds; called once for each announced transaction. */
  now?: () => number;
  /** For one attempt of one call; default 30,000 ms. */
  timeoutMs?: number;
  /** Further attempts after an error that may pass; default 3. */
  retries?: number;
};

export type RpcSource = {
  chainId: number;
  /** Announced transactions that were not yielded, because their body was gone or their block already read. */
  missedPending(): number;
  events(): AsyncGenerator<ChainEvent, void, void>;
  close(): Promise<void>;
};

/**
 * Opens a node as a source of blocks (with transactions and receipts) and pending transactions.
 *
 * Blocks come in order, each once, as the node has them when it is asked: reorganisations are not followed.
 * Throws RpcError where the node can't be reached or refuses a call, after retries.
 */
export async function createRpcSource(options: RpcSourceOptions): Promise<RpcSource> {
  const { fromBlock, toBlock, pollMs = 500, signal, now = Date.now } = options;
  checkRange(fromBlock, toBlock);
  const client = createRpcClient(options);
  try {
    const chainId = Number(await client.request<string>("eth_chainId"));
    if (!Number.isSafeInteger(chainId)) {
      throw new Error(
        `Cannot read the chain of "${client.name}": eth_chainId is not a number, expected hex like "0x1"`,
      );
    }
    const head = await headOf(client);
    const watch = options.pending ? await createPendingWatch({ client, now }) : null;
    const readReceipts = createReceiptReader(client);
    let next = fromBlock ?? (toBlock === undefined ? head + 1 : Math.min(head, toBlock));

    return {
      chainId,
      missedPending: () => watch?.missed() ?? 0,
      async *events() {
        let newest = head;
        while (!signal?.aborted && (toBlock === undefined || next <= toBlock)) {
          // Sightings first: what is announced after this is too late for the block that is read next.
          for (const sighting of (await watch?.take(next)) ?? []) yield { kind: "pending", ...sighting };
          if (next > newest) newest = await headOf(client);
          if (next > newest) {
            await sleep(pollMs, undefined, { signal }).catch(() => undefined); // aborted: the loop's head ends it
            continue;
          }
          const block = await readBlock(client, next, readReceipts);
          yield { kind: "block", number: next, ...block };
          next++;
        }
      },
      async close() {
        await watch?.close();
        await client.close();
      },
    };
  } catch (error) {
    await client.close().catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

async function headOf(client: RpcClient): Promise<number> {
  return Number(await client.request<string>("eth_blockNumber"));
}

async function readBlock(client: RpcClient, number: number, readReceipts: ReceiptReader): Promise<RpcBlock> {
  const tag = `0x${number.toString(16)}`;
  const block = await client.request<RpcObject | null>("eth_getBlockByNumber", [tag, true]);
  if (!block || !Array.isArray(block.transactions)) {
    throw new Error(
      `Cannot read block "${number}" from "${client.name}": the node has none, expected it below its own head; ` +
        "it may lag or have pruned the block, use another RPC URL or a later --from-block",
    );
  }
  const transactions = block.transactions as RpcObject[];
  const receipts = await readReceipts(tag, transactions);
  // One list is matched to the other by position, so a node that gives receipts of another fork must be noticed.
  const wrong = transactions.findIndex((transaction, index) => receipts[index]?.transactionHash !== transaction.hash);
  if (wrong !== -1 || receipts.length !== transactions.length) {
    throw new Error(
      `Cannot read block "${number}" from "${client.name}": ${receipts.length} receipts do not fit its ` +
        `${transactions.length} transactions, expected one each in order; the block may just have been replaced, record it again`,
    );
  }
  return { block, transactions, receipts };
}

type ReceiptReader = (blockTag: string, transactions: RpcObject[]) => Promise<RpcObject[]>;

/** `eth_getBlockReceipts` where the node has it, else a call for each transaction (in HTTP batches). */
function createReceiptReader(client: RpcClient): ReceiptReader {
  let byBlock = true;
  return async (blockTag, transactions) => {
    if (transactions.length === 0) return [];
    if (byBlock) {
      try {
        const receipts = await client.request<RpcObject[] | null>("eth_getBlockReceipts", [blockTag]);
        if (receipts) return receipts;
      } catch (error) {
        if (!(error instanceof RpcError && error.unsupported)) throw error;
        byBlock = false;
      }
    }
    const receipts = await Promise.all(
      transactions.map(({ hash }) => client.request<RpcObject | null>("eth_getTransactionReceipt", [hash])),
    );
    return receipts.filter((receipt) => receipt !== null);
  };
}

function checkRange(fromBlock: number | undefined, toBlock: number | undefined): void {
  for (const [name, block] of Object.entries({ fromBlock, toBlock })) {
    if (block !== undefined && !(Number.isSafeInteger(block) && block >= 0)) {
      throw new Error(`Cannot start at ${name} "${block}": not a block number, expected a whole number from 0`);
    }
  }
  if (fromBlock !== undefined && toBlock !== undefined && fromBlock > toBlock) {
    throw new Error(
      `Cannot read blocks "${fromBlock}" to "${toBlock}": the range is empty, expected fromBlock <= toBlock`,
    );
  }
}
