/** What the engine would insert of a load: all of its rows, as one Native block a table. */
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import { packBatch } from "../../engine/source/batch.ts";
import type { TableName } from "../../engine/worker/outcome.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import type { Load } from "../load/load.ts";

export interface TableRows {
  readonly table: TableName;
  readonly body: Uint8Array;
  readonly rows: number;
}

/** Chains of generated transactions and of blocks. */
const CHAINS = [1, 56, 137, 42161, 31337];

/** @param rules alerts and rule_stats are theirs */
export async function rowsOf({ lines }: Load, rules: readonly LiveRule[]): Promise<TableRows[]> {
  const records = lines.map((value, offset) => ({ offset, time: 0, content: CONTENT.json, value }));
  const { tables } = createProcessor(rules, createWorld({ chains: CHAINS }))(packBatch("bench", 0, 0, records.length, records)); // biome-ignore format: one call
  const made: TableRows[] = [];
  for (const table of Object.keys(tables) as TableName[]) {
    const blocks = tables[table]!;
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    if (rows > 0) made.push({ table, body: Buffer.concat((await joinRows(blocks)).bodies), rows });
  }
  return made;
}
