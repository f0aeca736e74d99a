/**
 * What a recording keeps of a node's answers: one JSON object a transaction, fields as the node names and spells them
 * (hex quantities, hex data), hex in lower case, the logs' bloom and whatever repeats the block left out.
 */

export type RpcObject = Record<string, unknown>;
/** A block with its transactions (`eth_getBlockByNumber(n, true)`) and their receipts, both in transaction order. */
export type RpcBlock = { block: RpcObject; transactions: RpcObject[]; receipts: RpcObject[] };
export type RecordingLine = RpcObject & { chainId: number; hash: string };

// A missing one is written as null: the source did not have it.
const TRANSACTION_FIELDS = ["hash", "from", "to", "nonce", "value", "gas", "gasPrice", "type", "input"] as const;
// Written only when the node gives them.
const OPTIONAL_TRANSACTION_FIELDS = [
  "maxFeePerGas",
  "maxPriorityFeePerGas",
  "accessList",
  "maxFeePerBlobGas",
  "blobVersionedHashes",
  "authorizationList",
  "v",
  "r",
  "s",
  "yParity",
] as const;
const PLACE_FIELDS = ["blockNumber", "blockHash", "transactionIndex"] as const;
const BLOCK_FIELDS = ["number", "hash", "parentHash", "timestamp", "miner", "gasUsed", "gasLimit"] as const;
const RECEIPT_FIELDS = ["status", "gasUsed", "cumulativeGasUsed", "effectiveGasPrice", "contractAddress"] as const;
const OPTIONAL_RECEIPT_FIELDS = ["blobGasUsed", "blobGasPrice"] as const;
const LOG_FIELDS = ["address", "topics", "data", "logIndex"] as const;

/**
 * The line of a transaction that a node announced before its block was read.
 *
 * @param seenAt when it was announced, Unix milliseconds
 * @param market what the pools hold that it would trade through: see engine/chain/opportunity/market.ts
 */
export function pendingLine(chainId: number, transaction: RpcObject, seenAt: number, market?: object): RecordingLine {
  return lowerHex({
    chainId,
    ...pick(transaction, TRANSACTION_FIELDS, OPTIONAL_TRANSACTION_FIELDS),
    ...Object.fromEntries(PLACE_FIELDS.map((field) => [field, null])),
    seenAt,
    ...(market && { market }),
  }) as RecordingLine;
}

/**
 * The lines of a block, in transaction order.
 *
 * @param seenAt when each hash was first announced (Unix milliseconds); undefined when it never was
 */
export function blockLines(
  chainId: number,
  { block, transactions, receipts }: RpcBlock,
  seenAt: (hash: string) => number | undefined,
  told: { readonly market?: object | undefined; readonly pools?: readonly object[] | undefined } = {},
): RecordingLine[] {
  const { market, pools = [] } = told;
  const header = {
    ...pick(block, BLOCK_FIELDS, ["baseFeePerGas"]),
    transactionCount: transactions.length,
  };
  return transactions.map((transaction, index) => {
    const seen = seenAt(String(transaction.hash));
    return lowerHex({
      chainId,
      ...pick(transaction, [...TRANSACTION_FIELDS, ...PLACE_FIELDS], OPTIONAL_TRANSACTION_FIELDS),
      ...(seen === undefined ? {} : { seenAt: seen }),
      block: header,
      receipt: receiptOf(receipts[index]!),
      ...(index === transactions.length - 1 && { ...(market && { market }), ...(pools.length > 0 && { pools }) }),
    }) as RecordingLine;
  });
}

function receiptOf(receipt: RpcObject): RpcObject {
  const logs = (receipt.logs as RpcObject[]) ?? [];
  return {
    ...pick(receipt, RECEIPT_FIELDS, OPTIONAL_RECEIPT_FIELDS),
    logs: logs.map((log) => pick(log, LOG_FIELDS, [])),
  };
}

function pick(source: RpcObject, always: readonly string[], whenGiven: readonly string[]): RpcObject {
  const picked: RpcObject = {};
  for (const field of always) picked[field] = source[field] ?? null;
  for (const field of whenGiven) if (source[field] !== undefined) picked[field] = source[field];
  return picked;
}

/** Some nodes answer with checksummed addresses: a recording is lower case throughout. */
function lowerHex(value: unknown): unknown {
  if (typeof value === "string") return /^0x[0-9a-f]*[A-F]/.test(value) ? value.toLowerCase() : value;
  if (Array.isArray(value)) return value.map(lowerHex);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, lowerHex(entry)]));
}
