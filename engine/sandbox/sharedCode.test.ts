import { expect, test } from "vitest";
import { readmit } from "./admit.ts";
import { createRule } from "./rule.ts";
import { type MemoryContent, shareCode } from "./sharedCode.ts";
import {
  all,
  appendRecord,
  EMPTY,
  END,
  MANIFEST,
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

function admitted(sections: Record<number, number[]>, code = onTx): Uint8Array {
  const admission = readmit(testModule({ onTx: code, sections }));
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
