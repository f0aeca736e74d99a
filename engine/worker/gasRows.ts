/** Gas of the blocks of a batch, a row a block: what their transactions' records say of the block, and what they paid. */
import type { Block } from "../../clickhouse/native.ts";
import { encodeFindings, type FindingRow } from "../../clickhouse/tables/findings.ts";
import { FEE_PERCENTILES } from "../../clickhouse/tables/gasBlocks.ts";
import type { BatchBlock } from "../chain/blocks.ts";
import { blockTips } from "../chain/gas/blockTips.ts";
import { bigAt, extraText, has, u32At, u64AsNumber } from "../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET, PRESENT } from "../frame/schema.ts";
import type { Decoded } from "./decode.ts";

/** None of what does not say which block it is in, or where. */
export function encodeGasBlocks(decoded: Decoded, blocks: readonly BatchBlock[]): { gas_blocks?: Block[] } {
  const rows = blocks
    .filter(({ frames: [first], ...block }) =>
      [PRESENT.blockHash, PRESENT.transactionIndex].every((bit) => has(block, first!, bit)),
    )
    .map((block): FindingRow<"gas_blocks"> => [rowOf(decoded, block)]);
  return rows.length === 0 ? {} : { gas_blocks: [encodeFindings("gas_blocks", rows)] };
}

function rowOf(decoded: Decoded, block: BatchBlock): FindingRow<"gas_blocks">[0] {
  const [i, frame] = [block.numbers[0]!, block.frames[0]!];
  const given = <T>(bit: number, value: () => T): T | null => (has(block, frame, bit) ? value() : null);
  const bytes = (offset: number, width: number) => block.bytes.subarray(frame + offset, frame + offset + width);
  const whole = (offset: number): number => u64AsNumber(block, frame + offset);
  const baseFee = given(PRESENT.baseFeePerGas, () => bigAt(block, frame + OFFSET.baseFeePerGas, FIELD_WIDTH.u128));
  const gasUsed = given(PRESENT.blockGasUsed, () => bigAt(block, frame + OFFSET.blockGasUsed, FIELD_WIDTH.u64));
  const tips = block.complete ? blockTips(block, baseFee ?? undefined, FEE_PERCENTILES) : undefined;
  const [p10 = null, p25 = null, p50 = null, p75 = null, p90 = null] = tips?.fees ?? [];
  const extra = extraText(block, frame);
  const blobGas = /"block\.blobGasUsed":"(0x[0-9a-f]{1,13})"/.exec(extra)?.[1];
  return {
    source: decoded.source,
    partition: decoded.partition,
    offset: decoded.offsets[i]!,
    n: decoded.indexes[i]!,
    record_time: decoded.times[i]!,
    event_time: decoded.events[i]!,
    chain_id: block.chainId,
    block_number: block.blockNumber,
    block_hash: bytes(OFFSET.blockHash, 32),
    block_timestamp: given(PRESENT.blockTimestamp, () => whole(OFFSET.blockTimestamp)),
    miner: given(PRESENT.miner, () => bytes(OFFSET.miner, 20)),
    gas_used: given(PRESENT.blockGasUsed, () => whole(OFFSET.blockGasUsed)),
    gas_limit: given(PRESENT.blockGasLimit, () => whole(OFFSET.blockGasLimit)),
    base_fee_per_gas: baseFee,
    burnt: baseFee === null || gasUsed === null ? null : baseFee * gasUsed,
    transactions: given(PRESENT.blockTransactionCount, () => u32At(block, frame + OFFSET.blockTransactionCount)),
    transactions_seen: block.frames.length,
    priority_fees: tips?.total ?? null,
    ...{ priority_fee_p10: p10, priority_fee_p25: p25, priority_fee_p50: p50 },
    ...{ priority_fee_p75: p75, priority_fee_p90: p90 },
    blob_gas_used: blobGas === undefined ? null : Number(blobGas),
    extra_data: /"block\.extraData":"(0x[0-9a-f]*)"/.exec(extra)?.[1] ?? "",
  };
}
