/** What a rule with state made of a transaction long ago: with what it remembered then, as far as anybody knows. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { ruleKey } from "../../engine/rules/ruleKey.ts";
import { compactState } from "../../engine/sink/stateLog.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { applyChange, createStateTable } from "../../engine/state/stateTable.ts";
import { createOrderedStage } from "../../engine/worker/orderedStage.ts";
import { createOrderedProcessor, createProcessor } from "../../engine/worker/process.ts";
import { createSandboxes } from "../../engine/worker/sandboxes.ts";
import { createWorld } from "../../engine/world/world.ts";
import { sampleTransaction, tryRule } from "../../rules-as/cli/tryRule.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { explanationSchema } from "./explain.ts";

let server: TestServer;
const SENDERS = [`0x${"aa".repeat(20)}`, `0x${"bb".repeat(20)}`];
/** Three batches of eight; the second sender appears in the first alone. */
const BATCH = 8;
const TRANSACTIONS = Array.from({ length: 3 * BATCH }, (_, i) =>
  sampleTransaction({
    ...{ from: SENDERS[i === 3 ? 1 : 0]!, seenAt: 1_700_000_000_000 + i * 1_000 },
    hash: `0x${i.toString(16).padStart(64, "0")}`,
  }),
);

beforeAll(async () => {
  server = await startTestServer();
  const { wasm } = await tryRule(new URL("../../rules-as/test/guests/sequence.ts", import.meta.url));
  const body = new Uint8Array(wasm);
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/wasm" };
  await server.get("/api/v1/rules/sequence", { method: "PUT", body, headers });
  const rule = await server.rules.version("sequence", 1);
  const first = createProcessor([rule], createWorld({ chains: [1] }));
  const second = createOrderedProcessor([rule], createOrderedStage([rule], createSandboxes(1)));
  const tables = rule.manifest.state!.map(createStateTable);
  for (let from = 0; from < TRANSACTIONS.length; from += BATCH) {
    const records = TRANSACTIONS.slice(from, from + BATCH).map((each, i) => {
      return { offset: from + i, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(each)) };
    });
    const batch = packBatch("tx_raw", 0, from, from + BATCH, records);
    const { handover, tables: blocks } = first(batch);
    const { outcome, changes } = second(batch, handover!, new Map([[ruleKey(rule), tables]]));
    for (const [i, change] of changes.get(ruleKey(rule))!.entries()) applyChange(tables[i]!, change!);
    for (const all of [blocks, outcome.tables])
      for (const [table, bodies] of Object.entries(all) as [keyof typeof COLUMNS, (typeof all)["alerts"] & {}][]) {
        const columns = COLUMNS[table].map(([name]) => name);
        const rows = bodies.reduce((sum, block) => sum + block.rows, 0);
        await server.store.insertBlock({
          table,
          columns,
          format: "Native",
          bodies: (await joinRows(bodies)).bodies,
          rows,
        });
      }
  }
});
afterAll(() => server?.close());

const explained = (i: number, more = "") =>
  server.read(`/api/v1/rules/sequence/explain?tx_hash=${TRANSACTIONS[i]!.hash}${more}`, explanationSchema);
const sent = (asked: { name: string; key: string; answer: string }[]) => asked.find(({ name }) => name === "sent");

test("is what it met in the stream: state before its batch, then the batch up to it", async () => {
  // of the first sender the 11th, at the second batch's fourth place
  const made = await explained(11);
  expect(made.state).toMatchObject({ known: true, why: "" });
  expect(made.state!.asked).toEqual([
    { name: "sent", key: SENDERS[0], action: "add", answer: "11" },
    { name: "lately", key: SENDERS[0], action: "add", answer: "11" },
  ]);
  expect([made.sees, made.alerts]).toEqual([true, []]);
  const tenth = await explained(10);
  expect(tenth.alerts).toEqual([{ severity: "info", message: `${SENDERS[0]} 10 10` }]);
  expect(sent((await explained(3)).state!.asked)).toMatchObject({ key: SENDERS[1], answer: "1" });
  expect((await explained(0)).state).toMatchObject({ known: true }); // nothing came before
});

test("says so where it is not known: the log is short by now, or the version has not run there", async () => {
  await compactState(server.store, "tx_raw", 0, 3 * BATCH);
  const late = await explained(20);
  expect(late.state).toMatchObject({ known: false, why: expect.stringContaining("removed from the log") });
  expect(sent(late.state!.asked)!.answer).toBe("5"); // of its batch alone
  const wasm = (await tryRule(new URL("../../rules-as/test/guests/sequence.ts", import.meta.url))).wasm;
  const named = Buffer.concat([wasm, Uint8Array.of(0, 5, 1, 0x78, 1, 2, 3)]); // the same with a custom section more
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/wasm" };
  expect((await server.get("/api/v1/rules/sequence", { method: "PUT", body: named, headers })).status).toBe(200);
  const never = await explained(20, "&version=2");
  expect(never.state).toMatchObject({ known: false, why: expect.stringContaining("has not run there") });
  expect(sent(never.state!.asked)!.answer).toBe("1");
});
