import { describe, expect, it } from "vitest";
import { admit } from "./admit.ts";
import type { Finding } from "./finding.ts";
import { MODULE_LIMITS } from "./limits.ts";
import { createRule } from "./rule.ts";
import {
  all,
  EMPTY,
  END,
  F64,
  FUNCTION,
  I32,
  op,
  type TestModule,
  TYPE,
  testFrames,
  testModule,
} from "./testModule.ts";
import { leb } from "./wasm/writer.ts";

function findingsOf(module: Uint8Array): readonly Finding[] {
  const admitted = admit(module);
  return admitted.ok ? [] : admitted.findings;
}
const codesOf = (options: TestModule) => findingsOf(testModule(options)).map(({ code }) => code);
const firstOf = (options: TestModule) => findingsOf(testModule(options))[0];

const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
const exported = (text: string, kind: number, index: number) => [...name(text), kind, ...leb(index)];
const abi = [
  exported("memory", 2, 0),
  exported("weir_abi", 3, 0),
  exported("weir_out_length", 3, 1),
  exported("weir_manifest", 0, FUNCTION.manifest),
  exported("weir_reserve", 0, FUNCTION.reserve),
  exported("weir_on_tx", 0, FUNCTION.onTx),
  exported("weir_out", 0, FUNCTION.out),
];
const vector = (items: number[][]) => [...leb(items.length), ...items.flat()];

describe("admit()", () => {
  it("takes a valid module, with its manifest", () => {
    const admitted = admit(testModule({ manifest: '{"name":"whale","severity":"high"}' }));
    expect(admitted).toMatchObject({ ok: true, manifest: { name: "whale", severity: "high", onError: "dlq" } });
  });

  it("reports every violation of a module at once, each with its place", () => {
    const found = findingsOf(
      testModule({
        onTx: [0xfd, 0x0f, 0x1a], // i8x16.splat
        more: [
          [0x12, 0x00],
          [...op.get(99), ...op.drop],
        ],
        sections: { 5: vector([[0, ...leb(65)]]), 7: vector([...abi.slice(1), exported("weir_host_run", 0, 1)]) },
      }),
    );
    expect(
      found.map(({ code, section, function: index, limit, actual }) => [code, section, index, limit, actual]),
    ).toEqual([
      ["memory", "memory", null, 64, 65],
      ["reserved_name", "export", null, null, null],
      ["missing_export", "export", null, null, null],
      ["unsupported", "code", 3, null, 0xfd],
      ["unsupported", "code", 5, null, 0x12],
      ["index", "code", 6, null, null],
    ]);
    expect(found[3]?.message).toBe(
      "Cannot admit opcode 0xfd 15: SIMD, as NaN payloads of its lanes differ between machines",
    );
    for (const { code, offset } of found) if (code !== "missing_export") expect(offset).toBeGreaterThan(8);
  });

  describe("imports", () => {
    const type = [0x60, 4, I32, I32, I32, I32, 0];
    const imports = (module: string, field: string, kind: number[]) =>
      vector([[...name(module), ...name(field), ...kind]]);
    it.each([
      ["wasi", imports("wasi_snapshot_preview1", "fd_write", [0, TYPE.abort]), "unknown_import"],
      ["another of env", imports("env", "seed", [0, TYPE.abort]), "unknown_import"],
      ["a memory", imports("env", "memory", [2, 0, 1]), "unknown_import"],
      ["a global", imports("env", "clock", [3, I32, 0]), "unknown_import"],
      ["a table", imports("env", "table", [1, 0x70, 0, 1]), "unknown_import"],
      ["env.abort of another type", imports("env", "abort", [0, TYPE.frame]), "import_type"],
      ["env.abort of a type that is not there", imports("env", "abort", [0, 77]), "index"],
    ])("refuses %s", (_, section, code) => {
      expect(codesOf({ sections: { 2: section } })).toContain(code);
    });
    it("refuses abort twice", () => {
      const abort = [...name("env"), ...name("abort"), 0, 0];
      expect(codesOf({ sections: { 1: vector([type]), 2: vector([abort, abort]) } })).toContain("unknown_import");
    });
  });

  describe("exports", () => {
    it.each(["memory", "weir_abi", "weir_out_length", "weir_manifest", "weir_reserve", "weir_on_tx", "weir_out"])(
      "misses %s",
      (missing) => {
        const section = vector(abi.filter((entry) => !Buffer.from(entry).includes(Buffer.from(name(missing)))));
        const found = findingsOf(testModule({ sections: { 7: section } }));
        expect(found.map(({ message }) => message)).toEqual([
          expect.stringContaining(`Cannot find export "${missing}"`),
        ]);
      },
    );
    it("refuses a function of another type", () => {
      expect(
        firstOf({ sections: { 7: vector([...abi.slice(0, 6), exported("weir_out", 0, FUNCTION.reserve)]) } }),
      ).toMatchObject({
        code: "export_type",
        message: 'Cannot use export "weir_out": (i32) → i32, expected () → i32',
      });
    });
    it("refuses a mutable or a later weir_abi, and an immutable weir_out_length", () => {
      const globals = (abiEntry: number[], length: number[]) => ({
        sections: { 6: vector([abiEntry, length, [I32, 1, ...op.i32(0), END]]) },
      });
      const good = [I32, 1, ...op.i32(0), END];
      expect(codesOf(globals([I32, 1, ...op.i32(1), END], good))).toEqual(["export_type"]);
      expect(firstOf(globals([I32, 0, ...op.i32(2), END], good))).toMatchObject({
        code: "abi_version",
        limit: 1,
        actual: 2,
      });
      expect(codesOf(globals([I32, 0, ...op.i32(1), END], [I32, 0, ...op.i32(0), END]))).toEqual(["export_type"]);
    });
    it("refuses an export of what is not there, before the host could mistake its own global for it", () => {
      for (const [kind, index] of [
        [3, 3],
        [0, 5],
      ] as const) {
        expect(codesOf({ sections: { 7: vector([...abi, exported("spare", kind, index)]) } })).toEqual(["index"]);
      }
    });
  });

  describe("memory, table, data", () => {
    const memory = (...bytes: number[]) => ({ sections: { 5: [1, ...bytes] } });
    it("refuses shared, 64-bit and several memories, and none at all", () => {
      expect(firstOf(memory(3, 20, 20))).toMatchObject({ code: "memory", message: "Cannot admit a shared memory" });
      expect(firstOf(memory(4, 20))).toMatchObject({ code: "memory", message: "Cannot admit a 64-bit memory" });
      expect(
        codesOf({
          sections: {
            5: vector([
              [0, 20],
              [0, 1],
            ]),
          },
        }),
      ).toEqual(["memory"]);
      expect(codesOf({ sections: { 5: null } })).toContain("memory");
    });
    it("rewrites the maximum to the cap, and keeps a lower one", () => {
      const maximum = (options: TestModule) => {
        const admitted = admit(testModule(options));
        if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
        const module = new WebAssembly.Module(admitted.module);
        const { name } = WebAssembly.Module.imports(module).find(({ kind }) => kind === "memory")!;
        const [initial, most] = name.split(" ").map(Number) as [number, number];
        const link = (maximum: number) => {
          const memory = new WebAssembly.Memory({ initial, maximum });
          return new WebAssembly.Instance(module, { env: { abort() {} }, weir_memory: { [name]: memory } });
        };
        link(most);
        expect(() => link(most + 1)).toThrow(/maximum/); // what the name says is the import's type
        return most;
      };
      expect(maximum({})).toBe(MODULE_LIMITS.memoryPages);
      expect(maximum(memory(1, 20, ...leb(40_000)))).toBe(MODULE_LIMITS.memoryPages);
      expect(maximum(memory(1, 20, 30))).toBe(30);
    });
    it("refuses a table over its limit, and several", () => {
      expect(firstOf({ sections: { 4: vector([[0x70, 0, ...leb(8193)]]) } })).toMatchObject({
        code: "table",
        limit: 8192,
        actual: 8193,
      });
      expect(
        codesOf({
          sections: {
            4: vector([
              [0x70, 0, 1],
              [0x70, 0, 1],
            ]),
          },
        }),
      ).toEqual(["table"]);
    });
    it("refuses data and elements that do not fit: the module could not be instantiated", () => {
      expect(firstOf({ sections: { 11: vector([[0, ...op.i32(20 * 65_536 - 1), END, 2, 0, 0]]) } })).toMatchObject({
        code: "data",
      });
      expect(firstOf({ sections: { 9: vector([[0, ...op.i32(1), END, 1, 1]]) } })).toMatchObject({ code: "elements" });
      expect(codesOf({ sections: { 9: vector([[0, ...op.i32(0), END, 1, 99]]) } })).toEqual(["index"]);
    });
    it("refuses a giant data segment", () => {
      const segment = [0, ...op.i32(0), END, ...leb(600_000), ...new Array<number>(600_000).fill(1)];
      expect(firstOf({ sections: { 11: vector([segment]) } })).toMatchObject({
        code: "data",
        limit: 524_288,
        actual: 600_000,
      });
    });
  });

  describe("sizes", () => {
    it("refuses a module over 1 MiB unread", () => {
      expect(findingsOf(new Uint8Array(1024 * 1024 + 1))).toMatchObject([
        { code: "module_too_large", limit: 1_048_576, actual: 1_048_577 },
      ]);
    });
    it("refuses 50,000 locals, and 4 billion of them in a few bytes", () => {
      expect(firstOf({ locals: [[50_000, I32]] })).toMatchObject({
        code: "too_many_locals",
        function: 3,
        limit: 2048,
        actual: 50_001,
      });
      const most = 2 ** 32 - 1;
      expect(
        firstOf({
          locals: [
            [most, I32],
            [most, F64],
          ],
        }),
      ).toMatchObject({ code: "too_many_locals", actual: 2 * most + 1 });
    });
    it("refuses a long function, a huge br_table and deep nesting", () => {
      expect(firstOf({ onTx: new Array(65_537).fill(0x01) })).toMatchObject({
        code: "function_too_large",
        function: 3,
      });
      const labels = [...op.i32(0), 0x0e, ...leb(1025), ...new Array(1026).fill(0)];
      expect(firstOf({ onTx: labels })).toMatchObject({ code: "br_table_too_large", limit: 1024, actual: 1025 });
      const deep = [...new Array(300).fill([0x02, EMPTY]).flat(), ...new Array(300).fill(END)];
      expect(firstOf({ onTx: deep })).toMatchObject({ code: "nested_too_deep", limit: 256, actual: 257 });
    });
    it("refuses too many types, functions, globals and exports", () => {
      const types = [...leb(1005), ...new Array(1005).fill([0x60, 0, 0]).flat()];
      expect(codesOf({ sections: { 1: types } })).toContain("too_many");
      expect(codesOf({ more: new Array(5_000).fill([]) })).toEqual(["too_many"]);
      expect(codesOf({ sections: { 6: vector(new Array(257).fill([I32, 1, ...op.i32(0), END])) } })).toContain(
        "too_many",
      );
      expect(
        codesOf({
          sections: { 7: vector([...abi, ...Array.from({ length: 250 }, (_, i) => exported(`e${i}`, 0, 1))]) },
        }),
      ).toContain("too_many");
    });
    it("reports at most 100 findings", () => {
      expect(findingsOf(testModule({ more: new Array(300).fill([0xfe, 0x00]) }))).toHaveLength(100);
    });
  });

  describe("proposals", () => {
    it.each([
      ["atomics", [0xfe, 0x10, 2, 0]],
      ["SIMD", [0xfd, 0x00, 0, 0]],
      ["table.get", [0x25, 0]],
      ["table.set", [0x26, 0]],
      ["data.drop", [0xfc, 9, 0]],
      ["elem.drop", [0xfc, 13, 0]],
      ["table.init", [0xfc, 12, 0, 0]],
      ["table.copy", [0xfc, 14, 0, 0]],
      ["table.grow", [0xfc, 15, 0]],
      ["return_call", [0x12, 0]],
      ["return_call_indirect", [0x13, 0, 0]],
      ["call_ref", [0x14, 0]],
      ["try", [0x06, EMPTY, END]],
      ["throw", [0x08, 0]],
      ["try_table", [0x1f, EMPTY, 0, END]],
      ["ref.null", [0xd0, 0x70, 0x1a]],
      ["ref.func", [0xd2, 0, 0x1a]],
      ["struct.new", [0xfb, 0, 0]],
      ["a block with a type of several values", [0x02, TYPE.pointer, END]],
    ])("refuses %s", (_, code) => {
      expect(codesOf({ onTx: code })).toEqual(["unsupported"]);
    });
    it("refuses v128 and reference types of locals, parameters and globals", () => {
      expect(codesOf({ locals: [[1, 0x7b]] })).toEqual(["unsupported"]);
      expect(codesOf({ locals: [[1, 0x6f]] })).toEqual(["unsupported"]);
    });
    it("refuses a tag section", () => {
      const bytes = testModule({ tail: [13, 3, 1, 0, TYPE.nothing] });
      expect(findingsOf(bytes)).toMatchObject([{ code: "unsupported", actual: 13 }]);
    });
  });

  describe("malformed bytes", () => {
    it.each([
      ["nothing", []],
      ["another magic", [0, 0x61, 0x73, 0x6e, 1, 0, 0, 0]],
      ["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]],
      ["a section longer than the file", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      ["a LEB128 of six bytes", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
      ["a LEB128 over 32 bits", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x1f]],
      ["4 billion types in one byte", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ])("refuses %s", (_, bytes) => {
      expect(findingsOf(Uint8Array.from(bytes))).toMatchObject([{ code: "malformed", offset: expect.any(Number) }]);
    });
    it("refuses sections out of order, twice, or with bytes behind", () => {
      expect(codesOf({ tail: [1, 1, 0] })).toEqual(["malformed"]);
      expect(codesOf({ sections: { 8: [FUNCTION.onTx] } })).toContain("index"); // starts with a function that has a parameter
      expect(codesOf({ sections: { 4: [...vector([[0x70, 0, 1]]), 0] } })).toEqual(["malformed"]);
    });
    it("refuses every truncation of a valid module", () => {
      const whole = testModule({ onTx: op.loop(op.i32(1), op.drop) });
      for (let length = 0; length < whole.length; length++) {
        expect(admit(whole.subarray(0, length)).ok, `${length} bytes`).toBe(false);
      }
    });
    it("leaves types and operands to the engine, and passes on what it says", () => {
      const [finding] = findingsOf(testModule({ onTx: [0x6a] })); // i32.add of nothing
      expect(finding).toMatchObject({ code: "invalid", offset: expect.any(Number) });
      expect(finding?.message).toMatch(/not enough arguments on the stack for i32.add/);
    });
  });

  describe("initialisation", () => {
    const spin = op.loop(op.br(0));
    it("runs the start function with fuel", () => {
      expect(firstOf({ more: [spin], start: FUNCTION.more })).toMatchObject({ code: "initialization", actual: "fuel" });
    });
    it("runs weir_manifest with fuel, and believes no pointer", () => {
      expect(firstOf({ getManifest: [...spin, ...op.i32(0)] })).toMatchObject({
        code: "initialization",
        actual: "fuel",
      });
      for (const pointer of [0, -1, 3, 20 * 65_536, 4096 * 7 + 1]) {
        expect(firstOf({ getManifest: op.i32(pointer) }), String(pointer)).toBeDefined();
      }
      const lie = [...op.i32(4096), ...op.i32(-2), ...op.store(), ...op.i32(4100)];
      expect(firstOf({ getManifest: lie })).toMatchObject({ code: "initialization", actual: "bad_pointer" });
    });
    it("names the fields of a bad manifest", () => {
      const found = findingsOf(testModule({ manifest: '{"name":"X","filter":{"to":["0x12"]},"speed":9}' }));
      expect(found.every(({ code }) => code === "manifest")).toBe(true);
      expect(found.map(({ message }) => message.split(":")[0])).toEqual(
        expect.arrayContaining(["name", "filter.to.0"]),
      );
    });
  });

  it("keeps the names of functions, for the words about a trap", () => {
    const names = [1, ...leb(9), ...vector([[...leb(FUNCTION.onTx), ...name("onTx")]])];
    names[1] = names.length - 2;
    const custom = [...name("name"), ...names];
    const admitted = admit(testModule({ onTx: op.unreachable, tail: [0, custom.length, ...custom] }));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
    const { failures } = createRule(new WebAssembly.Module(admitted.module)).run(testFrames(1), all(1), 1);
    expect(failures[0]?.message).toBe("Cannot go on in onTx (function 3): unreachable");
  });
});
