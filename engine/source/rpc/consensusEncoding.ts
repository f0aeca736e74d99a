/**
 * Transactions, receipts and headers as their hashes are taken: what a node says in JSON, back in the bytes that consensus
 * is about (EIP-2718, 2930, 1559, 4844, 7702, 4895, 4788, 7685). null: of a kind that is not known here.
 */
import type { RpcObject } from "../recordingLine.ts";
import { bytes, number, type Rlp, rlp } from "./rlp.ts";

/** EIP-2718: the type, then what it wraps. */
const typed = (type: number, fields: Rlp): Buffer => Buffer.concat([Buffer.of(type), rlp(fields)]);
const typeOf = (object: RpcObject): number => Number(object.type ?? 0);

const accessList = ({ accessList: list }: RpcObject): Rlp =>
  ((list as { address: string; storageKeys: string[] }[] | null) ?? []).map(({ address, storageKeys }) => [
    bytes(address),
    storageKeys.map(bytes),
  ]);

const authorizations = ({ authorizationList: list }: RpcObject): Rlp =>
  ((list as RpcObject[] | null) ?? []).map((one) => [
    ...[number(one.chainId), bytes(one.address), number(one.nonce)],
    ...signature(one),
  ]);

const signature = ({ yParity, v, r, s }: RpcObject): Rlp[] => [yParity ?? v, r, s].map(number);

export function encodeTransaction(tx: RpcObject): Buffer | null {
  const call = [number(tx.gas), bytes(tx.to), number(tx.value), bytes(tx.input)];
  const dynamicFee = () => [
    ...[tx.chainId, tx.nonce, tx.maxPriorityFeePerGas, tx.maxFeePerGas].map(number),
    ...[...call, accessList(tx)],
  ];
  switch (typeOf(tx)) {
    case 0:
      return rlp([number(tx.nonce), number(tx.gasPrice), ...call, ...[tx.v, tx.r, tx.s].map(number)]);
    case 1: {
      const head = [tx.chainId, tx.nonce, tx.gasPrice].map(number);
      return typed(1, [...head, ...call, accessList(tx), ...signature(tx)]);
    }
    case 2:
      return typed(2, [...dynamicFee(), ...signature(tx)]);
    case 3: {
      const blobs = [number(tx.maxFeePerBlobGas), (tx.blobVersionedHashes as string[]).map(bytes)];
      return typed(3, [...dynamicFee(), ...blobs, ...signature(tx)]);
    }
    case 4:
      return typed(4, [...dynamicFee(), authorizations(tx), ...signature(tx)]);
    default:
      return null;
  }
}

export function encodeReceipt(receipt: RpcObject): Buffer | null {
  const type = typeOf(receipt);
  const { logsBloom, root, status, cumulativeGasUsed } = receipt;
  if (type > 4 || logsBloom == null || cumulativeGasUsed == null || (root == null && status == null)) return null;
  const logs = (receipt.logs as RpcObject[]).map(({ address, topics, data }) => [
    ...[bytes(address), (topics as string[]).map(bytes), bytes(data)],
  ]);
  // Before Byzantium a receipt had the state's root in place of a status.
  const outcome = root == null ? number(status) : bytes(root);
  const fields = [outcome, number(cumulativeGasUsed), bytes(logsBloom), logs];
  return type === 0 ? rlp(fields) : typed(type, fields);
}

const HEADER_BYTES = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"],
] as const;
const HEADER_NUMBERS = ["difficulty", "number", "gasLimit", "gasUsed", "timestamp"] as const;
const HEADER_END = ["extraData", "mixHash", "nonce"] as const;
/** In the order in which forks added them: each is there only if those before it are. */
const HEADER_ADDED = [
  ["baseFeePerGas", number],
  ["withdrawalsRoot", bytes],
  ["blobGasUsed", number],
  ["excessBlobGas", number],
  ["parentBeaconBlockRoot", bytes],
  ["requestsHash", bytes],
] as const;
/** What nodes say of a block that is no part of its header. */
const BESIDE_HEADER = ["hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals", "milliTimestamp"];
const KNOWN = new Set<string>([
  ...[...HEADER_BYTES, ...HEADER_NUMBERS, ...HEADER_END, ...BESIDE_HEADER],
  ...HEADER_ADDED.map(([name]) => name),
]);

/** null where a member is missing, or one is there that a later fork may have added to the header. */
export function encodeHeader(block: RpcObject): Buffer | null {
  const fixed = [...HEADER_BYTES, ...HEADER_NUMBERS, ...HEADER_END];
  if (fixed.some((name) => block[name] == null) || Object.keys(block).some((name) => !KNOWN.has(name))) return null;
  return rlp([
    ...HEADER_BYTES.map((name) => bytes(block[name])),
    ...HEADER_NUMBERS.map((name) => number(block[name])),
    ...HEADER_END.map((name) => bytes(block[name])),
    ...HEADER_ADDED.filter(([name]) => block[name] != null).map(([name, encode]) => encode(block[name])),
  ]);
}
