import { readFile } from "node:fs/promises";
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitStatements } from "../../clickhouse/sqlTokens.ts";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { BUNDLED_RECORDING } from "../../engine/cli/bundled.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { readLines } from "../../engine/source/recording.ts";
import type { SourceRecord } from "../../engine/source/records.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { gasBlockSchema, gasPredictionSchema } from "./gas.ts";

const CHAIN = 31_337;
const blocksSchema = z.array(gasBlockSchema);
let server: TestServer;

/** The bundled recording: 314 blocks of a real node, one after the other. */
beforeAll(async () => {
  server = await startTestServer();
  const records: SourceRecord[] = [];
  for await (const value of readLines(BUNDLED_RECORDING))
    records.push({ offset: records.length, time: 0, content: CONTENT.json, value });
  await store(records);
});
afterAll(() => server?.close());

async function store(records: readonly SourceRecord[], source = "s"): Promise<void> {
  const process = createProcessor([], createWorld({ chains: [1, 10, CHAIN] }));
  const { tables } = process(packBatch(source, 0, 0, records.length, records));
  for (const table of ["transactions", "gas_blocks"] as const) {
    const blocks = tables[table]!;
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    const columns = COLUMNS[table].map(([name]) => name);
    await server.store.insertBlock({ table, columns, format: "Native", bodies: (await joinRows(blocks)).bodies, rows });
  }
}

describe("GET /api/v1/gas/history", () => {
  test("what each block said that the next one burns, it did", async () => {
    const blocks = await server.read(`/api/v1/gas/history?chain_id=${CHAIN}&blocks=200`, blocksSchema);
    expect(blocks.map(({ block_number }) => block_number)).toEqual(Array.from({ length: 200 }, (_, i) => 314 - i));
    for (let i = 1; i < blocks.length; i++) expect(blocks[i]!.next_base_fee_raw).toBe(blocks[i - 1]!.base_fee_raw);
    expect(new Set(blocks.map(({ base_fee_raw }) => base_fee_raw)).size).toBeGreaterThan(100);
    for (const { transactions, transactions_seen, priority_fees } of blocks) {
      expect(transactions_seen).toBe(transactions);
      const fees = priority_fees!.map(({ fee_raw }) => BigInt(fee_raw!));
      expect(fees).toEqual([...fees].sort((a, b) => Number(a - b)));
    }
  });

  test("a block that is not stored whole has no priority fees; one whose parameters are in its header has the next base fee", async () => {
    const block = { gasUsed: "0x989680", gasLimit: "0x3938700", baseFeePerGas: "0x3b9aca00", timestamp: "0x684ee180" };
    const mined = (given: object, header: object = {}) => ({
      ...{
        chainId: 10,
        hash: `0x${"01".repeat(32)}`,
        from: `0x${"02".repeat(20)}`,
        to: null,
        nonce: "0x0",
        value: "0x0",
      },
      ...{
        gas: "0x1",
        input: "0x",
        blockNumber: "0x9000000",
        blockHash: `0x${"03".repeat(32)}`,
        transactionIndex: "0x0",
      },
      block: { ...block, transactionCount: 1, extraData: "0x00000000fa00000006", ...header },
      receipt: { status: "0x1", gasUsed: "0x5208", effectiveGasPrice: "0x3b9aca07", logs: [] },
      ...given,
    });
    const records = [
      mined({}),
      mined(
        { hash: `0x${"04".repeat(32)}`, blockNumber: "0x8ffffff", blockHash: `0x${"05".repeat(32)}` },
        { transactionCount: 2 },
      ),
    ].map((record, offset) => ({ offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(record)) }));
    await store(records);
    await store(records, "once more");
    const blocks = await server.read("/api/v1/gas/history?chain_id=10", blocksSchema);
    expect(blocks).toMatchObject([
      { block_number: 0x9000000, next_base_fee_gwei: 1, gas_used_ratio: 1 / 6, transactions: 1, transactions_seen: 1 },
      { block_number: 0x8ffffff, transactions: 2, transactions_seen: 1, priority_fees: null },
    ]);
    expect(blocks[0]!.priority_fees!.map(({ fee_raw }) => fee_raw)).toEqual(Array(5).fill("7"));
  });
});

test("GET /api/v1/gas is the newest of them", async () => {
  const [newest] = await server.read(`/api/v1/gas/history?chainId=${CHAIN}&blocks=1`, blocksSchema);
  expect(await server.read(`/api/v1/gas?chain_id=${CHAIN}`, gasBlockSchema)).toEqual(newest);
  expect(newest).toMatchObject({ base_fee_raw: "10345390841", gas_used: 4_241_186, gas_limit: 8_000_000 });
});

describe("GET /api/v1/gas/prediction", () => {
  const read = (more = "") => server.read(`/api/v1/gas/prediction?chain_id=${CHAIN}${more}`, gasPredictionSchema);

  test("tips for 1, 3 and 10 blocks, with how well they did", async () => {
    const { after_block, blocks_used, horizons, next_base_fee_raw } = await read();
    expect([after_block, blocks_used]).toEqual([314, 50]);
    expect(horizons.map(({ blocks, chance_of_offer }) => [blocks, chance_of_offer])).toEqual([1, 3, 10].map((blocks) => [blocks, null])); // biome-ignore format: one row
    for (const { blocks, tips } of horizons)
      for (const { chance, measured, priority_fee_raw, max_fee_raw } of tips) {
        expect([blocks, chance, measured!.predictions]).toEqual([blocks, chance, 200 - 50 - blocks + 1]);
        expect(measured!.hit_rate).toBeGreaterThan(chance - 0.25);
        expect(BigInt(max_fee_raw!)).toBeGreaterThanOrEqual(BigInt(priority_fee_raw!) + BigInt(next_base_fee_raw!)); // biome-ignore format: one line
      }
  });

  test("an offer's chance: none below the base fee, all with the highest tip", async () => {
    const chances = async (offer: string) => (await read(offer)).horizons.map(({ chance_of_offer }) => chance_of_offer);
    expect(await chances("&max_fee_gwei=0.5")).toEqual([0, 0, 0]);
    expect(await chances("&max_fee_gwei=1000&priority_fee_gwei=900")).toEqual([1, 1, 1]);
  });
});

test("404 names the chains that are stored; what is wrong is 400", async () => {
  const { detail } = await server.problem("/api/v1/gas", 404);
  expect(detail).toMatch(/^No block of chain 1 is stored: expected a chain_id of those that are: (10, )?31337$/);
  for (const wrong of [
    "gas/history?blocks=0",
    "gas/history?blocks=201",
    "gas/prediction?max_fee_gwei=1e9",
    "gas/prediction?priority_fee_gwei=-1",
    "gas?colour=red",
  ])
    await server.problem(`/api/v1/${wrong}`, 400);
});

test("blocks that were stored before there was a table of them are filled in from their transactions, row for row", async () => {
  const { store } = server;
  const contents = () => store.rows("SELECT * FROM gas_blocks ORDER BY ALL");
  const written = await contents();
  expect(written.length).toBeGreaterThan(310);
  await store.command("TRUNCATE TABLE gas_blocks");
  const sql = await readFile(new URL("../../clickhouse/migrations/0029_gas_blocks.sql", import.meta.url), "utf8");
  for (const _ of ["once", "and again, as after a kill"]) {
    for (const statement of splitStatements(sql)) await store.command(statement);
    expect(await contents()).toEqual(written);
  }
});
