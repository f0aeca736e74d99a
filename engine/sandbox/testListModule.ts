/** For tests: hand-made modules that ask lists. */
import { FUNCTION, I32, op, type TestModule, TYPE, testModule } from "./testModule.ts";
import { leb } from "./wasm/writer.ts";

/** A module that imports list_has: its functions come a place later. */
export const HAS = 1;
export const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
export const vector = (items: number[][]) => [...leb(items.length), ...items.flat()];
const exported = (field: string, index: number) => [...name(field), 0, index + 1];
const SECTIONS = {
  1: vector([
    [0x60, 4, I32, I32, I32, I32, 0],
    [0x60, 0, 1, I32],
    [0x60, 1, I32, 1, I32],
    [0x60, 1, I32, 0],
    [0x60, 0, 0],
    [0x60, 2, I32, I32, 1, I32],
  ]),
  2: vector([
    [...name("env"), ...name("abort"), 0, TYPE.abort],
    [...name("env"), ...name("list_has"), 0, 5],
  ]),
  7: vector([
    [...name("memory"), 2, 0],
    [...name("weir_abi"), 3, 0],
    [...name("weir_out_length"), 3, 1],
    exported("weir_manifest", FUNCTION.manifest),
    exported("weir_reserve", FUNCTION.reserve),
    exported("weir_on_tx", FUNCTION.onTx),
    exported("weir_out", FUNCTION.out),
  ]),
};
export const LIST_MANIFEST = `{"name":"test","lists":[{"name":"bad","bytes":4},{"name":"topics","bytes":32}]}`;
export const listModule = (options: TestModule): Uint8Array =>
  testModule({ manifest: LIST_MANIFEST, ...options, sections: { ...SECTIONS, ...options.sections } });

export const has = (list: number, entry: number[]) => [...op.i32(list), ...entry, ...op.call(HAS)];
