/**
 * Transactions, receipts and headers as their hashes are taken: what a node says in JSON, back in the bytes that consensus
 * is about (EIP-2718, 2930, 1559, 4844, 7702, 4895, 4788, 7685). null: of a kind that is not known here.
 */
import { concatHex, type Hex } from "viem";
import type { RpcObject } from "../recordingLine.ts";
import { type Rlp, rlp, rlpNumber } from "./trieRoot.ts";

const bytes = (value: unknown): Hex => (value as Hex | null) ?? "0x";
const typeOf = (object: RpcObject): number => Number(object.type ?? 0);

const accessList = ({ accessList: list }: RpcObject): Rlp =>
  ((list as { address: Hex; storageKeys: Hex[] }[] | null) ?? []).map(({ address, storageKeys }) => [
    address,
    storageKeys,
  ]);

const authorizations = ({ authorizationList: list }: RpcObject): Rlp =>
  ((list as RpcObject[] | null) ?? []).map((one) => [
    ...[rlpNumber(one.chainId), bytes(one.address), rlpNumber(one.nonce)],
    ...signature(one),
  ]);

const signature = ({ yParity, v, r, s }: RpcObject): Hex[] => [yParity ?? v, r, s].map(rlpNumber);

export function encodeTransaction(tx: RpcObject): Hex | null {
  const call = [rlpNumber(tx.gas), bytes(tx.to), rlpNumber(tx.value), bytes(tx.input)];
  const dynamicFee = () => [
    ...[tx.chainId, tx.nonce, tx.maxPriorityFeePerGas, tx.maxFeePerGas].map(rlpNumber),
    ...[...call, accessList(tx)],
  ];
  switch (typeOf(tx)) {
    case 0:
      return rlp([rlpNumber(tx.nonce), rlpNumber(tx.gasPrice), ...call, ...[tx.v, tx.r, tx.s].map(rlpNumber)]);
    case 1: {
      const head = [tx.chainId, tx.nonce, tx.gasPrice].map(rlpNumber);
      return concatHex(["0x01", rlp([...head, ...call, accessList(tx), ...signature(tx)])]);
    }
    case 2:
      return concatHex(["0x02", rlp([...dynamicFee(), ...signature(tx)])]);
    case 3: {
      const blobs = [rlpNumber(tx.maxFeePerBlobGas), tx.blobVersionedHashes as Hex[]];
      return concatHex(["0x03", rlp([...dynamicFee(), ...blobs, ...signature(tx)])]);
    }
    case 4:
      return concatHex(["0x04", rlp([...dynamicFee(), authorizations(tx), ...signature(tx)])]);
    default:
      return null;
  }
}

export function encodeReceipt(receipt: RpcObject): Hex | null {
  const type = typeOf(receipt);
  if (type > 4 || typeof receipt.logsBloom !== "string") return null;
  const logs = (receipt.logs as RpcObject[]).map((log) => [bytes(log.address), log.topics as Hex[], bytes(log.data)]);
  // Before Byzantium a receipt had the state's root in place of a status.
  const outcome = receipt.root == null ? rlpNumber(receipt.status) : bytes(receipt.root);
  const body = rlp([outcome, rlpNumber(receipt.cumulativeGasUsed), bytes(receipt.logsBloom), logs]);
  return type === 0 ? body : concatHex([`0x0${type}`, body]);
}

const HEADER_BYTES = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"],
] as const;
const HEADER_NUMBERS = ["difficulty", "number", "gasLimit", "gasUsed", "timestamp"] as const;
const HEADER_END = ["extraData", "mixHash", "nonce"] as const;
/** In the order in which forks added them: each is there only if those before it are. */
const HEADER_ADDED = [
  ["baseFeePerGas", rlpNumber],
  ["withdrawalsRoot", bytes],
  ["blobGasUsed", rlpNumber],
  ["excessBlobGas", rlpNumber],
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
export function encodeHeader(block: RpcObject): Hex | null {
  const fixed = [...HEADER_BYTES, ...HEADER_NUMBERS, ...HEADER_END];
  if (fixed.some((name) => block[name] == null) || Object.keys(block).some((name) => !KNOWN.has(name))) return null;
  return rlp([
    ...HEADER_BYTES.map((name) => bytes(block[name])),
    ...HEADER_NUMBERS.map((name) => rlpNumber(block[name])),
    ...HEADER_END.map((name) => bytes(block[name])),
    ...HEADER_ADDED.filter(([name]) => block[name] != null).map(([name, encode]) => encode(block[name])),
  ]);
}
