import type { BatchBlock } from "../chain/blocks.ts";
import { RISK, RISK_LEVELS, RISK_NAMES, type RiskLevel, riskLevel, riskScore } from "../chain/risk/factors.ts";
import { has, hexAt, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { type BlockFindings, kindOf } from "./findings.ts";
import type { TopicRecord } from "./topicRecords.ts";

/**
 * What a record of `risk-metrics` says of a block: a block is the window. Of one that came in parts there is a record a part, whose counts add
 * up. Sums and counts, so that readers can put windows together.
 */
export interface RiskMetrics {
  readonly kind: "risk_metrics";
  readonly chain_id: number;
  readonly block_number: number;
  readonly block_hash: string;
  /** Unix seconds. */
  readonly block_timestamp: number | null;
  /** provisional: not all of the block was there. */
  readonly status: "confirmed" | "provisional";
  readonly transactions: number;
  /** Of the transactions' scores, 0 to 100. */
  readonly score_sum: number;
  readonly score_max: number;
  readonly levels: Readonly<Record<RiskLevel, number>>;
  /** Transactions that have it, by factor. */
  readonly factors: Readonly<Record<string, number>>;
  /** As in the tables: arbitrage are cycles, attempt failed ones of known searchers. */
  readonly findings: Readonly<Record<string, number>>;
}

const KINDS = ["arbitrage", "sandwich", "liquidation", "jit", "attempt"] as const;
const HEADERS = { "content-type": "application/json" };

/** A record for each block of a batch that has a hash, keyed by chain. @param risks masks by number of the transaction */
export function riskMetricsRecords(
  blocks: readonly BatchBlock[],
  found: readonly BlockFindings[],
  risks: Uint32Array,
): TopicRecord[] {
  const findings = new Map(found.map((each) => [each.block, each.findings]));
  return blocks.flatMap((block) => {
    if (!has(block, block.frames[0]!, PRESENT.blockHash)) return [];
    const kinds = (findings.get(block) ?? []).map(kindOf);
    const metrics = { ...placeOf(block), ...judge(block.numbers.map((number) => risks[number]!)), findings: count(KINDS, (kind) => kinds.filter((each) => each === kind).length) }; // biome-ignore format: one object
    const value = Buffer.from(JSON.stringify(metrics satisfies RiskMetrics));
    return [{ topic: "risk-metrics", key: String(block.chainId), headers: HEADERS, value }];
  });
}

type Place = Pick<RiskMetrics, "kind" | "chain_id" | "block_number" | "block_hash" | "block_timestamp" | "status" | "transactions">; // biome-ignore format: one type

function placeOf(block: BatchBlock): Place {
  const frame = block.frames[0]!;
  return {
    ...{ kind: "risk_metrics", chain_id: block.chainId, block_number: block.blockNumber },
    block_hash: hexAt(block, frame + OFFSET.blockHash, 32),
    block_timestamp: has(block, frame, PRESENT.blockTimestamp)
      ? u64AsNumber(block, frame + OFFSET.blockTimestamp)
      : null,
    status: block.complete ? "confirmed" : "provisional",
    transactions: block.frames.length,
  };
}

function judge(masks: readonly number[]) {
  const scores = masks.map(riskScore);
  const levels = scores.map(riskLevel);
  return {
    score_sum: scores.reduce((sum, score) => sum + score, 0),
    score_max: scores.reduce((most, score) => Math.max(most, score), 0),
    levels: count(RISK_LEVELS, (level) => levels.filter((each) => each === level).length),
    factors: count(RISK_NAMES, (name) => masks.filter((mask) => (mask & RISK[name]) !== 0).length),
  };
}

const count = <K extends string>(names: readonly K[], of: (name: K) => number): Record<K, number> =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, number>;
