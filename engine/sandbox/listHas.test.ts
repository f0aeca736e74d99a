/** Guests that ask lists, honestly and not. */
import { expect, test } from "vitest";
import { buildList } from "../world/listTable.ts";
import { admit } from "./admit.ts";
import type { GuestList } from "./hostFunctions.ts";
import { createRule } from "./rule.ts";
import type { RuleRun } from "./ruleRun.ts";
import { HAS, has, LIST_MANIFEST as MANIFEST, listModule as moduleOf } from "./testListModule.ts";
import { all, appendRecord, INPUT, NONCE, name, op, type TestModule, TYPE, testFrames, vector } from "./testModule.ts"; // biome-ignore format: one line
import { leb } from "./wasm/writer.ts";

const PAST = 21 * 65_536; // 20 pages, and one for an arena
const nonce = [...op.local(0), ...op.i32(NONCE), ...op.add];
const alert = appendRecord(1, 8, 0x64636261, 0x68676665);
/** Alerts where the nonce, as 4 bytes, is on the first list. */
const ASKS = [...has(0, nonce), ...op.when(alert)];

function listed(...entries: number[]): GuestList[] {
  const builder = buildList(4, entries.length);
  builder.add(new Uint8Array(Uint32Array.from(entries).buffer));
  return [builder.done(), buildList(32, 0).done()];
}

function run(options: TestModule, lists = listed(1, 3)): RuleRun {
  const admitted = admit(moduleOf(options));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return createRule(new WebAssembly.Module(admitted.module)).run(testFrames(5), all(5), 5, { lists });
}
const findings = (options: TestModule) => {
  const admitted = admit(moduleOf(options));
  return admitted.ok ? [] : admitted.findings.map(({ code, message }) => `${code}: ${message}`);
};

test("a guest gets the answer for the bytes it points to, and each question costs the same fuel", () => {
  const ran = run({ onTx: ASKS });
  expect(ran.failures).toEqual([]);
  expect(ran.matches.map(({ transaction }) => transaction)).toEqual([1, 3]);
  expect(run({ onTx: ASKS }, listed(7, 8, 9)).matches).toEqual([]);
  const [once, twice] = [1, 2].map((times) =>
    run({ onTx: new Array(times).fill([...has(0, nonce), ...op.drop]).flat() }),
  );
  expect((twice!.fuel - once!.fuel) / 5).toBeGreaterThanOrEqual(500);
  expect(run({ onTx: [...has(0, nonce), ...op.drop] }, listed()).fuel).toBe(once!.fuel);
});

test("in another version of the list the same instance answers otherwise", () => {
  const admitted = admit(moduleOf({ onTx: ASKS }));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  const rule = createRule(new WebAssembly.Module(admitted.module));
  const found = (lists: GuestList[]) =>
    rule.run(testFrames(5), all(5), 5, { lists }).matches.map(({ transaction }) => transaction);
  expect([found(listed(1)), found(listed(2, 4)), found(listed(1))]).toEqual([[1], [2, 4], [1]]);
});

test.each([
  ["a list that is not declared", has(2, nonce), "host_call", "Cannot call list_has for list 2: expected 0 to 1, as the manifest has them"],
  ["a negative one", has(-1, nonce), "host_call", "Cannot call list_has for list -1: expected 0 to 1, as the manifest has them"],
  ["what lies beyond the memory", has(0, op.i32(PAST)), "bad_pointer", `Cannot call list_has with what is at ${PAST}: expected 4 bytes within the memory`],
  ["what ends beyond it", has(1, op.i32(PAST - 31)), "bad_pointer", `Cannot call list_has with what is at ${PAST - 31}: expected 32 bytes within the memory`],
  ["a negative pointer", has(0, op.i32(-4)), "bad_pointer", "Cannot call list_has with what is at 4294967292: expected 4 bytes within the memory"],
])("%s costs its transaction, and nobody else anything", (_, code, failure, message) => {
  const { matches, failures } = run({ onTx: [...alert, ...nonceIs(2, [...code, ...op.drop])] });
  expect(failures).toEqual([{ transaction: 2, code: failure, message }]);
  expect(matches.map(({ transaction }) => transaction)).toEqual([0, 1, 3, 4]);
}); // biome-ignore format: a table

const nonceIs = (n: number, code: number[]) => [...op.local(0), ...op.load(NONCE), ...op.i32(n), ...op.equal, ...op.when(code)]; // biome-ignore format: one sequence

test("what a guest asks while it starts, or says what it is, has no answer", () => {
  const asking = { getManifest: [...has(0, op.i32(INPUT)), ...op.drop, ...op.i32(1024)] };
  expect(findings(asking)).toEqual(["initialization: Cannot call list_has here: expected it within weir_on_tx"]);
});

test("a module that declares no list cannot import it, nor put it in a table, nor call it otherwise", () => {
  expect(findings({ manifest: '{"name":"test"}' })).toEqual([
    'undeclared_import: Cannot import "env.list_has": the manifest declares no lists, expected a member "lists"',
  ]);
  const table = vector([[0, ...op.i32(0), 0x0b, ...vector([leb(HAS)])]]);
  expect(findings({ sections: { 9: table } })).toEqual([
    "elements: Cannot place env.list_has in a table: expected direct calls of it only",
  ]);
  const types = vector([[...name("env"), ...name("abort"), 0, TYPE.abort], [...name("env"), ...name("list_has"), 0, TYPE.reserve]]); // biome-ignore format: one expression
  expect(findings({ sections: { 2: types } })[0]).toContain("expected (i32, i32) → i32");
  expect(findings({ manifest: MANIFEST.replace('"bytes":4', '"bytes":5') })[0]).toContain("manifest: lists.0.bytes");
  const many = Array.from({ length: 17 }, (_, i) => ({ name: `l${i}`, bytes: 20 }));
  expect(findings({ manifest: JSON.stringify({ name: "test", lists: many }) })[0]).toContain(
    "Expected at most 16 lists",
  );
});

test("a rule that carries over what a list has said is refused, also if it does so only where the answer is yes", () => {
  const mark = [...op.i32(65_536), ...op.i32(1), ...op.store()];
  const visited = [...op.i32(65_536), ...op.load(), ...op.when(alert)];
  expect(findings({ onTx: [...visited, ...has(0, nonce), ...op.when(mark)] })[0]).toMatch(/^carries_state: /);
});
