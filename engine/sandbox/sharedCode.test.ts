import { describe, expect, test } from "vitest";
import { readmit } from "./admit.ts";
import { createInstancePool } from "./instancePool.ts";
import { RUN_LIMITS } from "./limits.ts";
import type { Home } from "./place.ts";
import { createRule, SMALLEST_INPUT } from "./rule.ts";
import { type MemoryContent, shareCode } from "./sharedCode.ts";
import {
  all,
  appendRecord,
  COUNTER,
  EMPTY,
  END,
  FUNCTION,
  I32,
  INPUT,
  MANIFEST,
  NONCE,
  name,
  op,
  random,
  testFrames,
  testModule,
  uint32,
  vector,
} from "./testModule.ts";

const AT = 2_048;
const text = [...Buffer.from('{"name":"test"}', "utf16le")];
const segment = (at: number, bytes: number[]) => [0, ...op.i32(at), END, ...vector(bytes.map((byte) => [byte]))];
const manifest = segment(MANIFEST - 4, [...uint32(text.length), ...text]);

/** Tags a transaction if the word at AT is 7. */
const onTx = [...op.i32(AT), ...op.load(), ...op.i32(7), ...op.equal, 0x04, EMPTY, ...appendRecord(2, 1, 0x61, 0), END];

function admitted(
  sections: Record<number, number[]>,
  code = onTx,
  more: number[][] = [],
  reserve = op.i32(INPUT),
): Uint8Array {
  const admission = readmit(testModule({ onTx: code, sections, more, reserve }));
  if (!admission.ok) throw new Error(JSON.stringify(admission.findings));
  return admission.module;
}

function tags(module: WebAssembly.Module, content?: MemoryContent): number {
  const { matches, failures } = createRule(module, undefined, content).run(testFrames(3), all(3), 3);
  expect(failures).toEqual([]);
  return matches.length;
}

test("modules that differ in data share their code, and each runs on its own data", () => {
  const [seven, eight] = [7, 8].map((value) =>
    shareCode(admitted({ 11: vector([manifest, segment(AT, uint32(value))]), 12: [2] })),
  );
  expect([tags(seven!.module, seven), tags(eight!.module, eight)]).toEqual([3, 0]);
  expect([tags(eight!.module, seven), tags(seven!.module, eight)]).toEqual([3, 0]); // the code is the same
  expect(tags(seven!.module)).toBe(0); // and has no data
});

test("of segments that overlap the later one counts; a passive one that nobody copies is not there", () => {
  const passive = [1, ...vector([[8]])];
  const { module, data } = shareCode(
    admitted({ 11: vector([manifest, segment(AT, uint32(8)), passive, segment(AT, [7])]) }),
  );
  expect(tags(module, { data: data! })).toBe(3);
});

test("a module that copies segments by number stays whole", () => {
  const copy = [...op.i32(AT), ...op.i32(0), ...op.i32(4), 0xfc, 8, 1, 0];
  const code = shareCode(admitted({ 11: vector([manifest, [1, ...vector(uint32(7).map((byte) => [byte]))]]), 12: [2] }, [...copy, ...onTx])); // biome-ignore format: one module
  expect(code.data).toBeUndefined();
  expect(tags(code.module)).toBe(3);
});

test("what stands behind the data is kept", () => {
  const named = [...name("name"), 0, 2, ...name("m")]; // the module's own name: "m"
  const bytes = admitted({ 11: vector([manifest, segment(AT, uint32(7))]) });
  const behind = Uint8Array.from([...bytes, 0, named.length, ...named]);
  const code = shareCode(behind);
  expect(WebAssembly.Module.customSections(code.module, "name")).toHaveLength(1);
  expect(tags(code.module, code)).toBe(3);
});

const GLOBALS = 60;
const LAST_GLOBAL = COUNTER + GLOBALS;

/**
 * A rule that says which of the three it is, by its data and by globals that the start function makes of them; that alerts when it finds
 * anything of another's in memory or globals; and that writes, traps or grows. Of its options each but pages is a code of its own.
 */
function threefold(value: number, { code = 0, pages = [0, 20], input = INPUT, more = 0 } = {}): Uint8Array {
  const own = [...op.i32(AT), ...op.load()];
  const isNonce = (nonce: number) => [...op.local(0), ...op.load(NONCE), ...op.i32(nonce), ...op.equal];
  const isValue = (value: number) => [...own, ...op.i32(value), ...op.equal];
  const [and, differs] = [[0x71], [0x47]];
  const [written, lost, behind] = [65_536, 98_304, 110_000];
  const inputBytes = 8 + 416; // of one transaction: what globals are set from is longer
  const zeros = [written, lost, INPUT, input + 8 * GLOBALS, behind].filter(
    (at) => at < input || at >= input + inputBytes,
  );
  const write = (at: number) => [...op.i32(at), ...own, ...op.store()];
  return admitted(
    {
      5: vector([pages]),
      6: vector([[I32, 0, ...op.i32(1), END], ...new Array(2 + GLOBALS).fill([I32, 1, ...op.i32(0), END])]),
      8: [FUNCTION.more],
      11: vector([manifest, segment(AT, uint32(value)), segment(behind, uint32(more))]),
    },
    [
      ...op.i32(code), ...op.drop,
      ...isValue(7), ...op.when(appendRecord(2, 1, 0x61, 0)),
      ...isValue(8), ...op.when(appendRecord(2, 1, 0x62, 0)),
      ...[COUNTER, LAST_GLOBAL].flatMap((global) => [...own, ...op.get(global), ...differs, ...op.when(appendRecord(1, 1, 0x67, 0))]),
      ...isNonce(0), ...op.when(...zeros.map((at) => [...op.i32(at), ...op.load(), ...op.i32(at === behind ? more : 0), ...differs, ...op.when(appendRecord(1, 1, 0x6d, 0))])),
      ...write(written), ...write(AT + 4),
      ...[COUNTER, LAST_GLOBAL].flatMap((global) => [...op.i32(99), ...op.set(global)]),
      ...isNonce(3), ...isValue(8), ...and, ...op.when([...write(lost), ...op.unreachable]),
      ...isNonce(5), ...isValue(9), ...and, ...op.when([...op.i32(1), 0x40, 0, ...op.drop]),
    ],
    [[COUNTER, LAST_GLOBAL].flatMap((global) => [...own, ...op.set(global)])],
    op.i32(input),
  ); // biome-ignore format: a statement a line
}

describe("rules take turns in one memory, and none finds anything of another's, whatever they do:", () => {
  /** Runs the rules in turn in one pool, each as if it were alone. @returns the memories in which rules below `counted` ended their turns */
  function inTurn(modules: readonly Uint8Array[], turns: number, counted = modules.length): number {
    const memories = new Set<object>();
    let whose = 0;
    const pool = createInstancePool({ used: (place) => void (whose < counted && memories.add(place)) });
    const codes = modules.map(shareCode);
    const shared = codes.map((code) => createRule(code.module, undefined, code, pool));
    const frames = testFrames(8);
    const choice = random(turns);
    for (let turn = 0; turn < turns; turn++) {
      whose = choice(modules.length);
      const indices = all(8).slice(0, 1 + choice(8));
      const code = codes[whose]!;
      const alone = createRule(code.module, undefined, code).run(frames, indices, indices.length);
      expect(shared[whose]!.run(frames, indices, indices.length), `turn ${turn}`).toEqual(alone);
      expect(alone.matches.filter(({ kind }) => kind === 1)).toEqual([]);
    }
    return memories.size;
  }

  test("of one code, in one instance", () =>
    void inTurn(
      [7, 8, 9].map((value) => threefold(value)),
      300,
    ));
  test("of a code each", () =>
    void inTurn(
      [7, 8, 9, 7, 8, 9].map((value, code) => threefold(value, { code })),
      300,
    ));
  test("of two codes, three rules each", () =>
    void inTurn(
      [7, 8, 9, 7, 8, 9].map((value, i) => threefold(value, { code: i & 1 })),
      300,
    ));

  test("with input areas that lie elsewhere", () =>
    void inTurn(
      [7, 8, 9].map((value, code) => threefold(value, { code, input: INPUT + 256 * code })),
      300,
    ));
  test("when a later one differs where they do not", () =>
    void inTurn(
      [7, 8, 7, 8].map((value, more) => threefold(value, { code: more, more })),
      300,
    ));

  test("what a call wrote that did not come to its end is put back, whatever ended it, and its instance is not used again", () => {
    const pool = createInstancePool();
    const codes = [7, 8].map((value, code) => shareCode(threefold(value, { code })));
    const [one, other] = codes.map((code) => pool.settle(code.module, SMALLEST_INPUT, RUN_LIMITS, code)) as [
      Home,
      Home,
    ];
    expect(one.place).toBe(other.place);
    const { place } = one;
    const first = place.take(one, 8)!;
    place.ended();
    expect(place.take(one, 8)).toBe(first);
    first.words[98_304 / 4] = 1; // as the guest could, with marks that it took along
    expect(place.take(other, 8)!.words[98_304 / 4]).toBe(0);
    place.ended();
    expect(place.take(one, 8)).not.toBe(first);
  });

  test("a hundred codes need two memories", () => {
    const modules = Array.from({ length: 100 }, (_, code) => threefold(7 + (code & 1), { code }));
    expect(inTurn(modules, 400)).toBe(2);
  });
  test("a memory that may be larger is another", () => {
    const modules = [7, 8, 7, 8].map((value, i) => threefold(value, { code: i, pages: i < 2 ? [0, 20] : [1, 20, 30] }));
    expect(inTurn(modules, 40)).toBe(2);
  });
  test("who grows the memory takes it from the others once, and has one of its own from then on", () => {
    const modules = [7, 7, 9].map((value, code) => threefold(value, { code }));
    expect(inTurn(modules, 100, 2)).toBe(2);
  });
});
