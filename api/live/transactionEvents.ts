/** Transactions as live events: as they come in, before rules have looked at them. Made only while somebody listens. */
import type { TransactionRow } from "../../clickhouse/queries/transactions.ts";
import { bigAt, frameBytes, has, hexAt, inputAt, inputLength, logCount, u32At } from "../../engine/frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../engine/frame/schema.ts";
import type { Batch } from "../../engine/source/batch.ts";
import { createDecoder, type Decoded } from "../../engine/worker/decode.ts";
import type { World } from "../../engine/world/world.ts";
import { toTransaction } from "../routes/transactions.ts";
import { createEvent, type LiveEvent, type Place } from "./event.ts";

/** @param world of it the chains count: a transaction of another is a dead letter, and no event */
export function createTransactionEvents(world: Pick<World, "chains">) {
  const decode = createDecoder(world);
  return (batch: Batch, now: number, placeOf: (offset: number, n: number) => Place | undefined): LiveEvent[] => {
    const decoded = decode(batch);
    return Array.from({ length: decoded.count }, (_, i) => {
      const data = liveTransaction(toTransaction(rowOf(decoded, i)));
      const place = placeOf(decoded.offsets[i]!, decoded.indexes[i]!);
      return createEvent({ channel: "transactions", type: "transaction", data, now, place });
    });
  };
}

/** Without what only the store knows: its id, and what rules and risk say of it. */
export const liveTransaction = ({ id, tags, score, risk, risk_factors, ...rest }: ReturnType<typeof toTransaction>) =>
  rest;

/** As the store would give it. */
function rowOf(
  { source, partition, bytes, words, frames: starts, offsets, indexes, events }: Decoded,
  i: number,
): TransactionRow {
  const frames = { ...frameBytes(bytes), u32: words };
  const frame = starts[i]!;
  const ifThere = <T>(bit: number, value: () => T): T | null => (has(frames, frame, bit) ? value() : null);
  const number = (field: "gas" | "nonce" | "chainId" | "blockNumber" | "gasUsed" | "value" | "gasPrice" | "maxFeePerGas" | "maxPriorityFeePerGas" | "effectiveGasPrice" | "baseFeePerGas", width: number): string => `${bigAt(frames, frame + OFFSET[field], width)}`; // biome-ignore format: one line
  const hex = (field: "hash" | "from" | "to" | "blockHash" | "contractAddress", width: number): string => hexAt(frames, frame + OFFSET[field], width); // biome-ignore format: one line
  return {
    source,
    partition,
    offset: String(offsets[i]),
    n: indexes[i]!,
    chain_id: number("chainId", 8),
    tx_hash: hex("hash", 32),
    from_address: hex("from", 20),
    to_address: ifThere(PRESENT.to, () => hex("to", 20)),
    nonce: number("nonce", 8),
    value: number("value", 32),
    gas: number("gas", 8),
    gas_price: ifThere(PRESENT.gasPrice, () => number("gasPrice", 16)),
    max_fee_per_gas: ifThere(PRESENT.maxFeePerGas, () => number("maxFeePerGas", 16)),
    max_priority_fee_per_gas: ifThere(PRESENT.maxPriorityFeePerGas, () => number("maxPriorityFeePerGas", 16)),
    effective_gas_price: ifThere(PRESENT.effectiveGasPrice, () => number("effectiveGasPrice", 16)),
    base_fee_per_gas: ifThere(PRESENT.baseFeePerGas, () => number("baseFeePerGas", 16)),
    type: ifThere(PRESENT.type, () => bytes[frame + OFFSET.type]!),
    method: inputLength(frames, frame) < 4 ? null : hexAt(frames, inputAt(frames, frame), 4),
    input_size: String(inputLength(frames, frame)),
    seen_at: ifThere(PRESENT.seenAt, () => timeOf(bigAt(frames, frame + OFFSET.seenAt, 8))),
    detected_at: timeOf(BigInt(Math.floor(events[i]!))),
    block_number: ifThere(PRESENT.blockNumber, () => number("blockNumber", 8)),
    block_hash: ifThere(PRESENT.blockHash, () => hex("blockHash", 32)),
    block_timestamp: ifThere(PRESENT.blockTimestamp, () => secondOf(bigAt(frames, frame + OFFSET.blockTimestamp, 8))), // biome-ignore format: one line
    transaction_index: ifThere(PRESENT.transactionIndex, () => u32At(frames, frame + OFFSET.transactionIndex)),
    status: ifThere(PRESENT.status, () => bytes[frame + OFFSET.status]!),
    gas_used: ifThere(PRESENT.gasUsed, () => number("gasUsed", 8)),
    contract_address: ifThere(PRESENT.contractAddress, () => hex("contractAddress", 20)),
    log_count: String(logCount(frames, frame)),
    ...{ id: "0", tags: [], score: null, risk: null, risk_factors: 0, cursor: [] }, // what only the store knows
  };
}

const secondOf = (seconds: bigint): string => `${timeOf(1_000_000n * seconds).slice(0, -".000000Z".length)}Z`;

/** RFC 3339 with µs, of µs since 1970; what is no date is the last one there is. */
function timeOf(micros: bigint): string {
  const ms = micros / 1_000n;
  const date = new Date(ms > 8_640_000_000_000_000n ? 8.64e15 : Number(ms)).toISOString();
  return `${date.slice(0, -1)}${String(micros % 1_000n).padStart(3, "0")}Z`;
}
