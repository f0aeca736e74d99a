import { describe, expect, test } from "vitest";
import { createLocalState } from "../state/localState.ts";
import { admit } from "./admit.ts";
import { createRule } from "./rule.ts";
import type { RuleRun } from "./ruleRun.ts";
import {
  all,
  appendRecord,
  END,
  NONCE,
  name,
  op,
  type TestModule,
  TYPE,
  testFrames,
  testModule,
  vector,
} from "./testModule.ts";

/** A module that imports state_add and state_set: its functions come two places later. */
const [ADD, SET] = [1, 2];
const CELL = 4_096 - 8; // across two of the blocks that are put back
const PAST = 21 * 65_536; // 20 pages, and one for an arena
const DECLARED = `"state":[{"name":"seen","kind":"counter","key":"bytes32","value":"u256"},{"name":"busy","kind":"window","key":"address","value":"u64","seconds":60,"buckets":60}]`;

const stateful = (options: TestModule): Uint8Array =>
  testModule({
    manifest: `{"name":"test",${DECLARED}}`,
    imports: { names: ["state_add", "state_set"], parameters: 3 },
    ...options,
  });

const call = (which: number, declaration: number, key: number, cell: number) =>
  [op.i32(declaration), op.i32(key), op.i32(cell), op.call(which), op.drop].flat();
const one = [...op.i32(CELL), ...op.i32(1), ...op.store()];
const whenTx = (nonce: number, ...code: number[][]) =>
  [op.local(0), op.load(NONCE), op.i32(nonce), op.equal, op.when(...code)].flat();
/** Adds 1 to the state of one key and alerts; the alert's text is what there is then. */
const COUNT = [
  ...one, ...call(ADD, 0, 512, CELL),
  ...appendRecord(1, 8, 0, 0x20202020),
  // the value's low byte + "0", over the record's text
  ...op.i32(8192 - 8), ...op.get(1), ...op.add, ...op.i32(CELL), ...op.load(), ...op.i32(0x20202030), ...op.add, ...op.store(),
]; // biome-ignore format: one code

const shown = ({ words, offsets }: ReturnType<typeof testFrames>) => ({
  words,
  frames: offsets,
  events: new Float64Array(64),
});

function run(options: TestModule, count = 4, indices = all(count)): RuleRun & { said: string[] } {
  const admitted = admit(stateful(options));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  const session = createLocalState(admitted.manifest.state!).open("", shown(testFrames(64)));
  const rule = createRule(new WebAssembly.Module(admitted.module));
  const ran = rule.run(testFrames(64), indices, count, { state: session });
  return Object.assign(ran, {
    said: ran.matches.map(({ transaction, text }) => `${transaction} ${text.trim()[0]}`),
  });
}
const findings = (options: TestModule) => {
  const admitted = admit(stateful(options));
  return admitted.ok ? [] : admitted.findings.map(({ code, message }) => `${code}: ${message}`);
};

describe("state of a guest", () => {
  test("counts over the transactions of a batch", () => {
    expect(run({ onTx: COUNT }).said).toEqual(["0 1", "1 2", "2 3", "3 4"]);
  });

  test("what a transaction wrote that traps is undone, whichever of its call it was, and however often it is tried", () => {
    const traps = run({ onTx: [...COUNT, ...whenTx(0, op.unreachable), ...whenTx(2, op.unreachable)] }, 6);
    expect(traps.failures.map(({ transaction, code }) => `${transaction} ${code}`)).toEqual([
      "0 unreachable",
      "2 unreachable",
    ]);
    expect(traps.said).toEqual(["1 1", "3 2", "4 3", "5 4"]);
    // one that traps before it writes takes nothing from the one before it
    const early = run({ onTx: [...whenTx(2, op.unreachable), ...COUNT] }, 4);
    expect(early.said).toEqual(["0 1", "1 2", "3 3"]);
  });

  test.each([
    ["a declaration that is not there", call(ADD, 2, 512, CELL), "host_call", "Cannot call state_add for state 2: expected 0 to 1, as the manifest has them"],
    ["a negative one", call(ADD, -1, 512, CELL), "host_call", "Cannot call state_add for state -1: expected 0 to 1, as the manifest has them"],
    ["to set a window", call(SET, 1, 512, CELL), "host_call", 'Cannot call state_set for the window "busy": expected a counter'],
    ["a key behind the memory", call(ADD, 0, PAST - 31, CELL), "bad_pointer", `Cannot call state_add with what is at ${PAST - 31}: expected 32 bytes within the memory`],
    ["a key before it", call(ADD, 0, -1, CELL), "bad_pointer", "Cannot call state_add with what is at 4294967295: expected 32 bytes within the memory"],
    ["an amount behind the memory", call(ADD, 0, 512, PAST - 24), "bad_pointer", `Cannot call state_add with what is at ${PAST - 24}: expected 32 bytes at a multiple of 8 within the memory`],
    ["an amount anywhere", call(ADD, 0, 512, 4), "bad_pointer", "Cannot call state_add with what is at 4: expected 32 bytes at a multiple of 8 within the memory"],
  ])("a call with %s fails its transaction alone", (_, code, failure, message) => {
    const { failures, said } = run({ onTx: [...COUNT, ...whenTx(2, code)] });
    expect(failures).toEqual([{ transaction: 2, code: failure, message }]);
    expect(said).toEqual(["0 1", "1 2", "3 3"]);
  }); // biome-ignore format: a table

  test("what the host wrote into memory is put back for the next batch, across its blocks, too", () => {
    // alerts when the last word of the cell, in the second block, is not zero; nobody but the host writes there
    const onTx = [
      ...op.i32(CELL),
      ...op.load(8),
      ...op.when(COUNT),
      ...op.i32(CELL),
      ...op.i32(-1),
      ...op.store(),
      ...call(ADD, 0, 512, CELL),
      ...call(ADD, 0, 512, CELL),
    ];
    const admitted = admit(stateful({ onTx: whenTx(63, onTx) }));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
    const state = createLocalState(admitted.manifest.state!);
    const rule = createRule(new WebAssembly.Module(admitted.module));
    for (let batch = 0; batch < 3; batch++) {
      const ran = rule.run(testFrames(64), Uint32Array.of(63), 1, { state: state.open("", shown(testFrames(64))) });
      expect(ran).toMatchObject({ matches: [], failures: [] });
    }
  });

  test("fuel counts each call, the same on every run", () => {
    const [few, more] = [call(ADD, 0, 512, CELL), [...call(ADD, 0, 512, CELL), ...call(ADD, 0, 512, CELL)]].map(
      (onTx) => run({ onTx }).fuel,
    );
    expect(more! - few!).toBe(4 * (2_000 + 8 + 4));
  });
});

describe("admission", () => {
  test("takes what is declared, and tries it as if each sample were the first", () => {
    expect(findings({ onTx: COUNT })).toEqual([]);
  });

  test("refuses calls about what is not declared", () => {
    const undeclared = findings({ onTx: COUNT, manifest: '{"name":"test"}' });
    expect(undeclared).toEqual([
      'undeclared_import: Cannot import "env.state_add": the manifest declares no state, expected a member "state"',
      'undeclared_import: Cannot import "env.state_set": the manifest declares no state, expected a member "state"',
    ]);
  });

  test("refuses another type, indirect calls, and calls while the module starts", () => {
    const imports = vector([
      [...name("env"), ...name("abort"), 0, TYPE.abort],
      [...name("env"), ...name("state_add"), 0, TYPE.reserve],
      [...name("env"), ...name("state_set"), 0, 5],
    ]);
    expect(findings({ sections: { 2: imports } })).toContain(
      'import_type: Cannot import "env.state_add" as (i32) → i32, expected (i32, i32, i32) → i32',
    );
    const elements = vector([[0, ...op.i32(0), END, 1, ADD]]);
    expect(findings({ sections: { 9: elements } })).toContain(
      "elements: Cannot place env.state_add in a table: expected direct calls of it only",
    );
    expect(findings({ getManifest: [...call(ADD, 0, 512, CELL), ...op.i32(1024)] })).toEqual([
      "initialization: Cannot call state_add here: expected it within weir_on_tx",
    ]);
  });

  test.each([
    ['[{"name":"a","kind":"counter","key":"address","value":"u8"}]', /^manifest: state\.0\.value: /],
    ['[{"name":"a","kind":"window","key":"address","value":"u64","seconds":90,"buckets":60}]', /^manifest: state\.0: Expected seconds that are a multiple of the buckets$/],
    ['[{"name":"a","kind":"window","key":"address","value":"u64","seconds":60,"buckets":65}]', /^manifest: state\.0\.buckets: /],
    ['[{"name":"a","kind":"counter","key":"address","value":"u64"},{"name":"a","kind":"counter","key":"address","value":"u64"}]', /^manifest: state: Expected each name once$/],
    [`[${Array.from({ length: 9 }, (_, i) => `{"name":"a${i}","kind":"counter","key":"address","value":"u64"}`).join()}]`, /^manifest: state: /],
  ])("refuses %s", (state, message) => {
    expect(findings({ manifest: `{"name":"test","state":${state}}` })[0]).toMatch(message);
  }); // biome-ignore format: a table
});
