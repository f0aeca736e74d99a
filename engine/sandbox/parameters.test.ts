import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit } from "./admit.ts";
import { checkValues, fillIn, type Parameters, parametersSchema, textOfValues } from "./parameters.ts";
import { parseManifest } from "./parseManifest.ts";
import { createRule } from "./rule.ts";
import { all, appendRecord, I32, OUT, OUT_LENGTH, op, testFrames, testModule } from "./testModule.ts";
import { leb } from "./wasm/writer.ts";

const declare = (parameters: unknown): Parameters => parametersSchema.parse(parameters);
const wrong = (parameters: unknown): string[] => {
  const parsed = parametersSchema.safeParse(parameters);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};
const checked = (declared: Parameters, given: unknown) => {
  const result = checkValues(declared, given);
  return result.ok ? result.values : result.problems.map(({ path, message }) => `${path}: ${message}`);
};

const MAX = (2n ** 256n - 1n).toString();
const DECLARED = declare({
  least: { type: "integer", default: 1000, min: "0x1", max: MAX },
  share: { type: "number", default: 0.5, min: 0, max: 1 },
  loud: { type: "boolean", default: true },
  who: { type: "address", default: `0x${"AB".repeat(20)}` },
  method: { type: "selector", default: "0xA9059CBB" },
  prefix: { type: "bytes", default: "0x" },
  mode: { type: "text", default: "strict", choices: ["strict", "loose"] },
  chain: { type: "integer", default: "1", choices: [1, 137] },
  old: { default: 5 },
});

test("declarations are kept in their canonical form", () => {
  expect(DECLARED.least).toEqual({ type: "integer", default: "1000", min: "1", max: MAX });
  expect([DECLARED.who!.default, DECLARED.method!.default]).toEqual([`0x${"ab".repeat(20)}`, "0xa9059cbb"]);
  expect(DECLARED.chain!.choices).toEqual(["1", "137"]);
  expect(declare(DECLARED)).toEqual(DECLARED);
});

test.each([
  [{ a: { type: "integer", default: -1 } }, "a.default: Expected a whole number of at most 2^256 - 1, got -1"],
  [{ a: { type: "integer", default: 5, min: 6 } }, "a.default: Expected a whole number of at least 6, got 5"],
  [{ a: { type: "integer", default: 1, max: "x" } }, 'a.max: Expected a whole number of at most 2^256 - 1, got "x"'],
  [{ a: { type: "text", default: "x", max: 5 } }, "a.max: Expected of an integer or a number only"],
  [{ a: { type: "text", default: "x", choices: ["y"] } }, 'a.default: Expected one of y, got "x"'],
  [{ a: { type: "bool", default: true } }, "a.type: Invalid option"],
  [{ a: { type: "boolean" } }, "a.default: Invalid input"],
  [{ "a-b": { type: "boolean", default: true } }, "a-b: Invalid key"],
  [
    Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, { type: "boolean", default: true }])),
    "Expected at most 64 parameters",
  ],
])("a declaration that is wrong is told with its place: %.80j", (parameters, expected) => {
  expect(wrong(parameters).join("\n")).toContain(expected);
});

describe("values", () => {
  test("are canonical, and those that are the default are left out", () => {
    expect(checked(DECLARED, { least: "0x3e8", share: "0.25", loud: "false", mode: "loose", chain: 137 })).toEqual({
      share: 0.25,
      loud: false,
      mode: "loose",
      chain: "137",
    });
    expect(checked(DECLARED, { least: MAX, prefix: "0xABcd", who: null })).toEqual({ least: MAX, prefix: "0xabcd" });
  });

  test("of integers may be amounts in wei, gwei and ether, exactly", () => {
    const n = declare({ n: { type: "integer", default: "0" } });
    const of = (text: string) => (checked(n, { n: text }) as { n?: string }).n;
    expect(["1.5 ether", "100ether", "0.000000000000000001 ether", "30 gwei", "0.5gwei", "7 wei"].map(of)).toEqual([
      "1500000000000000000",
      "100000000000000000000",
      "1",
      "30000000000",
      "500000000",
      "7",
    ]);
    for (const text of [
      "1.5",
      "0.5 wei",
      "0.0000000001 gwei",
      "1. ether",
      " 1 ether",
      "-1 ether",
      "1 Ether",
      `${"9".repeat(60)} ether`,
    ])
      expect(of(text), text).toBeUndefined();
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 30n), fc.bigInt(0n, 10n ** 18n - 1n), (whole, part) => {
        expect(of(`${whole}.${String(part).padStart(18, "0")} ether`)).toBe(String(whole * 10n ** 18n + part));
      }),
    );
  });

  test("that do not fit are told with what was expected", () => {
    expect(
      checked(DECLARED, {
        lest: 1,
        least: 0,
        share: 1.5,
        loud: 1,
        who: "0x12",
        mode: "x",
        chain: 2,
        old: 6,
        prefix: "0x1",
      }),
    ).toEqual([
      'lest: Unknown parameter "lest": expected one of least, share, loud, who, method, prefix, mode, chain, old. Did you mean "least"?',
      `least: Expected a whole number from 1 to ${MAX}, got 0`,
      "share: Expected a number from 0 to 1, got 1.5",
      "loud: Expected true or false, got 1",
      'who: Expected 0x and 40 hexadecimal digits, got "0x12"',
      'mode: Expected one of strict, loose, got "x"',
      "chain: Expected one of 1, 137, got 2",
      "old: It cannot be changed: the module was built before values could be. Build it anew and push it",
      'prefix: Expected 0x and two hexadecimal digits for each of at most 512 bytes, got "0x1"',
    ]);
    for (const given of [null, [], "x"]) expect(checked(DECLARED, given)).toMatchObject([/Expected values by name/]);
    const hostile = JSON.parse('{"__proto__": 1, "constructor": 2}');
    expect(checked(DECLARED, hostile)).toHaveLength(2);
    for (const text of ["a\0b", "\ud800", "x".repeat(1025)])
      expect(checked(declare({ t: { type: "text", default: "" } }), { t: text })).toHaveLength(1);
  });

  test("whatever is given, what is accepted is accepted again as it is, and never is a surprise", () => {
    const given = fc.dictionary(fc.constantFrom(...Object.keys(DECLARED), "x"), fc.oneof(fc.jsonValue(), fc.double(), fc.bigInt().map(String))); // biome-ignore format: one arbitrary
    fc.assert(
      fc.property(given, (values) => {
        const result = checkValues(DECLARED, values);
        if (!result.ok) return;
        expect(checked(DECLARED, result.values)).toEqual(result.values);
        expect(checked(DECLARED, JSON.parse(JSON.stringify(result.values)))).toEqual(result.values);
      }),
      { numRuns: 300 },
    );
  });

  test("the same values are one text, in whatever order", () => {
    expect(textOfValues({ b: 1, a: "x" })).toBe(textOfValues({ a: "x", b: 1 }));
    expect(textOfValues({ a: "1" })).not.toBe(textOfValues({ a: 1 }));
  });
});

test('{"param": …} is replaced wherever it stands, and one that is not there is told with its place', () => {
  const filter = {
    to: [{ param: "who" }, "0x1"],
    where: { or: [{ value_gte: { param: "lest" } }, { param: "least" }] },
  };
  const { filled, used, problems } = fillIn(filter, DECLARED, { least: "7" });
  expect(filled).toEqual({
    to: [DECLARED.who!.default, "0x1"],
    where: { or: [{ value_gte: null }, "7"] },
  });
  expect([...used]).toEqual(["who", "least"]);
  expect(problems).toMatchObject([{ path: "where.or.0.value_gte", message: /Unknown parameter "lest".*Did you mean/ }]);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(fillIn(deep, DECLARED, {}).problems).toEqual([]);
});

test("a manifest's filter has the values", () => {
  const manifest = {
    name: "a",
    parameters: { least: { type: "integer", default: "5" }, chain: { type: "integer", default: "1" } },
    filter: { chains: [{ param: "chain" }], minValue: { param: "least" }, where: { gas_lt: { param: "least" } } },
  };
  const filterOf = (values: Record<string, string>) => {
    const parsed = parseManifest(JSON.stringify(manifest), values);
    return parsed.ok ? parsed.manifest.filter : parsed.problems;
  };
  expect(filterOf({})).toMatchObject({ chains: [1], minValue: "5", where: { field: "gas", value: "5" } });
  expect(filterOf({ least: "9", chain: "137" })).toMatchObject({ chains: [137], minValue: "9", where: { value: "9" } });
  const typo = JSON.stringify(manifest).replace('"param":"least"', '"param":"lesat"');
  expect(parseManifest(typo)).toMatchObject({ ok: false, problems: [{ path: "filter.minValue" }] });
});

describe("the area of a module", () => {
  const AREA = 4096;
  const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
  const exported = (text: string, index: number) => [...name(text), 3, ...leb(index)];
  /** Reports the first byte of its first value as an alert's text. */
  const moduleWith = ({
    place = AREA,
    bytes = 64,
    mutable = 0,
    exports = ["weir_parameters", "weir_parameters_bytes"],
  } = {}) => {
    return testModule({
      manifest: '{"name":"test","parameters":{"n":{"type":"boolean","default":false}}}',
      // an alert of one byte, and then that byte: the value's first, as a digit
      onTx: [
        ...[...appendRecord(1, 1, 0, 0), ...op.i32(OUT - 8), ...op.get(OUT_LENGTH), ...op.add],
        ...[...op.i32(AREA + 16), 0x2d, 0, 0, ...op.i32(48), ...op.add, ...op.store()],
      ],
      sections: {
        6: [
          ...leb(5),
          ...[I32, 0, ...op.i32(1), 0x0b, I32, 1, ...op.i32(0), 0x0b, I32, 1, ...op.i32(7), 0x0b],
          ...[I32, mutable, ...op.i32(place), 0x0b, I32, 0, ...op.i32(bytes), 0x0b],
        ],
        7: [
          ...leb(7 + exports.length),
          ...[...name("memory"), 2, 0, ...exported("weir_abi", 0), ...exported("weir_out_length", 1)],
          ...["weir_manifest", "weir_reserve", "weir_on_tx", "weir_out"].flatMap((each, i) => [
            ...name(each),
            0,
            i + 1,
          ]),
          ...exports.flatMap((each, i) => exported(each, 3 + i)),
        ],
      },
    });
  };
  const codes = (module: Uint8Array) => {
    const admitted = admit(module);
    return admitted.ok ? [] : admitted.findings.map(({ code }) => code);
  };

  test("holds the values before anything of the module runs, in every batch", () => {
    const admitted = admit(moduleWith());
    if (!admitted.ok) throw new Error(admitted.findings[0]!.message);
    const module = new WebAssembly.Module(admitted.module);
    const entry = Buffer.alloc(24); // n = true
    entry.writeUInt16LE(24, 0);
    entry.writeUInt16LE(1, 2);
    entry.writeUInt32LE(1, 4);
    entry.write("n", 8);
    entry[16] = 1;
    const says = (parameters?: Uint8Array) => {
      const rule = createRule(module, undefined, { parameters });
      return [1, 2].flatMap((count) => rule.run(testFrames(count), all(count), count).matches.map(({ text }) => text)); // biome-ignore format: one expression
    };
    expect(says()).toEqual(["0", "0", "0"]);
    expect(says(entry)).toEqual(["1", "1", "1"]);
  });

  test.each([
    ["a place that is no multiple of 8", { place: 4097 }, "parameters"],
    ["a place outside of the memory", { place: 20 * 65_536 - 8 }, "parameters"],
    ["a place beyond 2^31", { place: -8 }, "parameters"],
    ["too little room", { bytes: 4 }, "parameters"],
    ["too much room", { bytes: 65_544 }, "parameters"],
    ["a place that may change", { mutable: 1 }, "export_type"],
    ["a place without its size", { exports: ["weir_parameters"] }, "missing_export"],
    ["parameters with types and no place", { exports: [] }, "parameters"],
  ])("is refused at admission: %s", (_, options, code) => {
    expect(codes(moduleWith(options))).toEqual([code]);
  });
});
