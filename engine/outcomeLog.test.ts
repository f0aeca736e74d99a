import { expect, test } from "vitest";
import { BUNDLED_RECORDING } from "./cli/bundled.ts";
import type { Published } from "./dispatch/publishedTap.ts";
import { CONTENT } from "./frame/content.ts";
import { createLog } from "./ops/log.ts";
import { createOutcomeLog } from "./outcomeLog.ts";
import { packBatch } from "./source/batch.ts";
import { readLines } from "./source/recording.ts";
import type { SourceRecord } from "./source/records.ts";
import { createProcessor } from "./worker/process.ts";
import { createWorld } from "./world/world.ts";

const LINES = 700;

/** What is published of the recording's beginning, and of a record that is none. */
async function published(): Promise<Published> {
  const records: SourceRecord[] = [{ offset: 40, time: 0, content: CONTENT.json, value: Buffer.from("{]") }];
  for await (const value of readLines(BUNDLED_RECORDING)) {
    if (records.length > LINES) break;
    records.push({ offset: 40 + records.length, time: 0, content: CONTENT.json, value });
  }
  const batch = packBatch("tx_raw", 3, 40, 40 + records.length, records);
  return [{ batch, outcome: createProcessor([], createWorld({ chains: [31_337] }))(batch) }];
}

test("arbitrages are told one by one where somebody wants to know, dead letters always", async () => {
  const outcomes = await published();
  const told = (level: string): Record<string, unknown>[] => {
    const lines: string[] = [];
    createOutcomeLog(createLog({ level, stream: { write: (line) => void lines.push(line) } }))(outcomes);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const error = { event: "transaction_processing_error", reason: "not_json", count: 1, source: "tx_raw", partition: 3 };
  expect(told("info")).toMatchObject([{ level: "warn", ...error }]);

  const lines = told("debug").slice(1);
  const of = (event: string) => lines.filter((line) => line.event === event);
  const arbitrages = outcomes[0]!.outcome.findings.find(({ kind }) => kind === "arbitrage")!.findings;
  expect(arbitrages).toBeGreaterThan(2);
  for (const event of ["token_flow_extracted", "gas_cost_calculated", "profit_calculated", "arbitrage_transaction_processed"]) // biome-ignore format: one line
    expect(of(event), event).toHaveLength(arbitrages);
  for (const line of lines) {
    expect(line.correlation_id).toMatch(/^tx_raw\/3\/\d+\/0$/);
    expect(line).toMatchObject({ tx_hash: expect.stringMatching(/^0x/) });
  }
  const [flow] = of("token_flow_extracted");
  expect(flow).toMatchObject({ start_amount: expect.stringMatching(/^\d+$/), end_amount: expect.any(String) });
  expect(flow!.swaps).toBeGreaterThan(1);
  expect(of("profit_calculated")[0]).toHaveProperty("roi_percent");
  expect(of("gas_cost_calculated")[0]).toHaveProperty("gas_cost");
});
