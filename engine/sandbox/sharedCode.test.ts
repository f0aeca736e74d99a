import { expect, test } from "vitest";
import { readmit } from "./admit.ts";
import { createInstancePool } from "./instancePool.ts";
import { createRule } from "./rule.ts";
import { type MemoryContent, shareCode } from "./sharedCode.ts";
import {
  all,
  appendRecord,
  COUNTER,
  EMPTY,
  END,
  FUNCTION,
  MANIFEST,
  NONCE,
  name,
  op,
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

function admitted(sections: Record<number, number[]>, code: number[] = onTx, more: number[][] = []): Uint8Array {
  const admission = readmit(testModule({ onTx: code, sections, more }));
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

/**
 * A rule that says which of the three it is, by its data and by a global that the start function makes of them; that alerts when it finds
 * anything in the memory; and that writes, traps or grows.
 */
function threefold(value: number): Uint8Array {
  const [own, cell] = [[...op.i32(AT), ...op.load()], op.i32(65_536)];
  const isNonce = (nonce: number) => [...op.local(0), ...op.load(NONCE), ...op.i32(nonce), ...op.equal];
  const isValue = (value: number) => [...own, ...op.i32(value), ...op.equal];
  const and = [0x71];
  return admitted(
    { 11: vector([manifest, segment(AT, uint32(value))]), 8: [FUNCTION.more] },
    [
      ...isValue(7), ...op.when(appendRecord(2, 1, 0x61, 0)),
      ...isValue(8), ...op.when(appendRecord(2, 1, 0x62, 0)),
      ...own, ...op.get(COUNTER), 0x47, ...op.when(appendRecord(1, 1, 0x67, 0)),
      ...isNonce(0), ...cell, ...op.load(), ...and, ...op.when(appendRecord(1, 1, 0x6d, 0)),
      ...cell, ...own, ...op.store(), ...op.i32(AT + 4), ...own, ...op.store(),
      ...op.i32(99), ...op.set(COUNTER),
      ...isNonce(3), ...isValue(8), ...and, ...op.when(op.unreachable),
      ...isNonce(5), ...isValue(9), ...and, ...op.when([...op.i32(1), 0x40, 0, ...op.drop]),
    ],
    [[...own, ...op.set(COUNTER)]],
  ); // biome-ignore format: a statement a line
}

test("rules of one code take turns in one instance, and none finds anything of another's, whatever they do", () => {
  const places = new Set<object>();
  const pool = createInstancePool({ used: (place) => void places.add(place) });
  const codes = [7, 8, 9].map((value) => shareCode(threefold(value)));
  const shared = codes.map((code) => createRule(code.module, undefined, code, pool));
  const frames = testFrames(8);
  for (let turn = 0; turn < 300; turn++) {
    const r = (turn * 7 + (turn >> 3)) % 3;
    const indices = all(8).slice(0, 1 + ((turn * 5) % 8));
    const alone = createRule(codes[r]!.module, undefined, codes[r]).run(frames, indices, indices.length);
    expect(shared[r]!.run(frames, indices, indices.length), `turn ${turn}`).toEqual(alone);
    expect(alone.matches.filter(({ kind }) => kind === 1)).toEqual([]);
  }
  expect(places.size).toBe(1);
});
