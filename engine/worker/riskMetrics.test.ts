import { beforeAll, expect, test } from "vitest";
import { blocksOf } from "../chain/blocks.ts";
import { builtInRegistry } from "../chain/registry/registry.ts";
import { contributionsOf, riskScore } from "../chain/risk/factors.ts";
import { BUNDLED_RECORDING } from "../cli/bundled.ts";
import { CONTENT } from "../frame/content.ts";
import { hexAt } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import { packBatch } from "../source/batch.ts";
import { readLines } from "../source/recording.ts";
import type { SourceRecord } from "../source/records.ts";
import { createWorld, NO_LISTS } from "../world/world.ts";
import { createDecoder } from "./decode.ts";
import { createDetectStage } from "./findings.ts";
import { createProcessor } from "./process.ts";
import type { RiskMetrics } from "./riskMetrics.ts";
import { createRiskStage } from "./risks.ts";
import { unpackRecords } from "./topicRecords.ts";

interface Line {
  readonly hash: string;
  readonly blockNumber: string | null;
  readonly blockHash: string | null;
  readonly block?: { readonly timestamp: string; readonly transactionCount: number };
}

const world = createWorld({ chains: [31_337] });
let records: SourceRecord[];
let lines: Line[];
beforeAll(async () => {
  records = [];
  for await (const value of readLines(BUNDLED_RECORDING))
    records.push({ offset: records.length, time: 0, content: CONTENT.json, value });
  // whole blocks: 4,000 transactions and the rest of the last one's
  const place = ({ value }: SourceRecord): string => /"blockHash":(null|"\w+")/.exec(value!.toString())![1]!;
  const end = records.findIndex(
    (record, i) => i >= 4_000 && place(record) !== "null" && place(record) !== place(records[i - 1]!),
  );
  records = records.slice(0, end);
  lines = records.map(({ value }) => JSON.parse(value!.toString()) as Line);
});

const metricsOf = (from: number, to: number): RiskMetrics[] => {
  const outcome = createProcessor([], world)(packBatch("s", 0, from, to, records.slice(from, to)));
  return [...unpackRecords(outcome.records)]
    .filter(({ topic }) => topic === "risk-metrics")
    .map(({ key, value }) => {
      expect(key).toBe("31337");
      return JSON.parse(value.toString()) as RiskMetrics;
    });
};

test("a record a block, its counts as plain loops over the recording count them", () => {
  const decoded = createDecoder(world)(packBatch("s", 0, 0, records.length, records));
  const blocks = blocksOf(decoded);
  const found = createDetectStage(builtInRegistry)(blocks);
  const masks = createRiskStage(NO_LISTS)(decoded, blocks, found);
  const maskOf = new Map<string, number>();
  for (const { frames, numbers, ...view } of blocks)
    for (const [i, number] of numbers.entries()) maskOf.set(hexAt(view, frames[i]! + OFFSET.hash, 32), masks[number]!);

  const byBlock = new Map<string, Line[]>();
  for (const line of lines.filter(({ blockHash }) => blockHash !== null))
    byBlock.set(line.blockHash!, [...(byBlock.get(line.blockHash!) ?? []), line]);
  const metrics = metricsOf(0, records.length);
  expect(metrics.map(({ block_hash }) => block_hash).sort()).toEqual([...byBlock.keys()].sort());
  for (const record of metrics) {
    const own = byBlock.get(record.block_hash)!;
    const factors: Record<string, number> = {};
    const levels: Record<string, number> = { low: 0, medium: 0, high: 0, critical: 0 };
    let [sum, max] = [0, 0];
    for (const { hash } of own) {
      const score = riskScore(maskOf.get(hash)!);
      sum += score;
      max = Math.max(max, score);
      levels[score < 25 ? "low" : score < 50 ? "medium" : score < 75 ? "high" : "critical"]!++;
      for (const { factor } of contributionsOf(maskOf.get(hash)!)) factors[factor] = (factors[factor] ?? 0) + 1;
    }
    expect(record).toMatchObject({
      ...{ kind: "risk_metrics", chain_id: 31_337, status: "confirmed", transactions: own.length },
      block_number: Number(own[0]!.blockNumber),
      block_timestamp: Number(own[0]!.block!.timestamp),
      ...{ score_sum: sum, score_max: max, levels },
    });
    expect(Object.fromEntries(Object.entries(record.factors).filter(([, count]) => count > 0))).toEqual(factors);
  }
  const total = (kind: string): number => metrics.reduce((all, { findings }) => all + findings[kind]!, 0);
  const kinds = found.flatMap(({ findings }) => findings);
  expect(total("sandwich")).toBe(kinds.filter(({ kind }) => kind === "sandwich").length);
  expect(total("sandwich")).toBeGreaterThan(0);
  expect(total("arbitrage")).toBe(
    kinds.filter((finding) => finding.kind === "arbitrage" && finding.definition === "cycle").length,
  );
});

test("a block that is cut has a record a part, provisional, and their counts add up", () => {
  const middle = lines.findIndex(
    ({ blockHash }, i) => blockHash !== null && i > 1_000 && lines[i - 1]!.blockHash === blockHash,
  );
  const hash = lines[middle]!.blockHash!;
  const parts = [...metricsOf(middle - 100, middle), ...metricsOf(middle, middle + 100)].filter(
    ({ block_hash }) => block_hash === hash,
  );
  expect(parts.map(({ status }) => status)).toEqual(["provisional", "provisional"]);
  const whole = lines.filter(({ blockHash }) => blockHash === hash).length;
  expect(parts.reduce((sum, { transactions }) => sum + transactions, 0)).toBe(whole);
});
