/** Arguments against viem's decoder: any types, any values, and what strangers make of encoded data. */
import fc from "fast-check";
import { type AbiParameter, bytesToHex, decodeAbiParameters, encodeAbiParameters, hexToBytes, isHex } from "viem";
import { expect, test } from "vitest";
import { findArgument } from "./argument.ts";
import { readAbi } from "./items.ts";
import { argumentReader, shownArgument } from "./readArgument.ts";

const BITS = fc.constantFrom(8, 24, 40, 48, 56, 64, 128, 248, 256);
const SIZE = fc.integer({ min: 1, max: 32 });

/** Types, two levels deep at most, that have values. */
const parameter: fc.Arbitrary<AbiParameter> = fc.letrec<{ any: AbiParameter; one: AbiParameter }>((tie) => ({
  one: fc
    .oneof(
      fc.constantFrom("address", "bool", "bytes", "string"),
      BITS.map((bits) => `uint${bits}`),
      BITS.map((bits) => `int${bits}`),
      SIZE.map((bytes) => `bytes${bytes}`),
    )
    .map((type) => ({ name: "one", type })),
  any: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    { weight: 3, arbitrary: tie("one") },
    fc
      .tuple(tie("any"), fc.constantFrom("[]", "[1]", "[3]"))
      .map(([element, suffix]) => ({ ...element, type: element.type + suffix })),
    fc
      .array(tie("any"), { minLength: 1, maxLength: 3 })
      .map((components) => ({ name: "many", type: "tuple", components: named(components) })),
  ),
})).any;

const named = (parameters: readonly AbiParameter[]): AbiParameter[] =>
  parameters.map((each, i) => ({ ...each, name: `p${i}` }) as AbiParameter);

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => bytesToHex(each));
const LETTERS = "abc äöü € 𝄞".split("");

/** A value as viem takes it. */
function valueFor({ type, ...rest }: AbiParameter): fc.Arbitrary<unknown> {
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array) {
    const length = array[2] === "" ? { maxLength: 3 } : { minLength: Number(array[2]), maxLength: Number(array[2]) };
    return fc.array(valueFor({ ...rest, type: array[1]! }), length);
  }
  const { components = [] } = rest as { components?: readonly AbiParameter[] };
  if (type === "tuple")
    return fc.record(Object.fromEntries(components.map((each) => [each.name!, valueFor(each)])), {
      noNullPrototype: true,
    });
  const bits = Number(/\d+$/.exec(type)?.[0] ?? 0);
  if (type === "address") return hex(20);
  if (type === "bool") return fc.boolean();
  if (type === "string")
    return fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 40 }).map((text) => `x${text}`);
  if (type === "bytes") return fc.nat(70).chain(hex);
  if (type.startsWith("bytes")) return hex(bits);
  const big = 2n ** BigInt(bits);
  const [least, most] = type.startsWith("int") ? [-big / 2n, big / 2n - 1n] : [0n, big - 1n];
  const number = fc.oneof(fc.constantFrom(least, most, 0n), fc.bigInt(least, most));
  return bits <= 48 ? number.map(Number) : number;
}

/** Each path to a value, with the value; of arrays the first, the last, one that is not there, and the length. */
function leaves(
  parameters: readonly AbiParameter[],
  values: Readonly<Record<string, unknown>>,
  before = "",
): [string, unknown][] {
  return parameters.flatMap((each) => into(each, values[each.name!], `${before}${each.name}`));
}

function into({ type, ...rest }: AbiParameter, value: unknown, path: string): [string, unknown][] {
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array) {
    const element = { ...rest, type: array[1]! } as AbiParameter;
    const all = value as unknown[] | undefined;
    const at = (i: number): [string, unknown][] => into(element, all?.at(i), `${path}[${i}]`);
    if (array[2] !== "") return [...at(0), ...at(-1)];
    return [...at(0), ...at(-1), ...at(7), [`${path}.length`, all?.length]];
  }
  if (type !== "tuple") return [[path, value]];
  const { components = [] } = rest as { components?: readonly AbiParameter[] };
  return leaves(components, (value ?? {}) as Record<string, unknown>, `${path}.`);
}

const plain = (value: unknown): unknown => {
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  return isHex(value) ? value.toLowerCase() : value;
};

/** What our reader finds at a path; undefined where it finds nothing. */
function found(parameters: readonly AbiParameter[], path: string, data: Uint8Array): unknown {
  const { items, problems } = readAbi([{ type: "function", name: "f", inputs: parameters }]);
  expect(problems).toEqual([]);
  const located = findArgument(`call.f.${path}`, items);
  if ("wrong" in located) throw new Error(`${path}: ${located.wrong}`);
  const before = 4; // it does not begin the batch
  const bytes = new Uint8Array(before + data.length + 40).fill(0xee);
  bytes.set(data, before);
  const span = { at: 0, end: 0 };
  if (!argumentReader(located.argument)(bytes, 0, before, before + data.length, span)) return undefined;
  return shownArgument({ bytes }, located.argument.type, span, 1_000);
}

const encoded = fc
  .array(parameter, { minLength: 1, maxLength: 4 })
  .map(named)
  .chain((parameters) => fc.tuple(fc.constant(parameters), fc.tuple(...parameters.map(valueFor))));

const byName = (parameters: readonly AbiParameter[], values: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(parameters.map(({ name }, i) => [name, values[i]]));

test("finds what viem decodes, of any types and values", () => {
  let [there, absent] = [0, 0];
  fc.assert(
    fc.property(encoded, ([parameters, values]) => {
      const data = encodeAbiParameters(parameters, values);
      const decoded = decodeAbiParameters(parameters, data) as unknown[];
      for (const [path, value] of leaves(parameters, byName(parameters, decoded))) {
        expect([path, found(parameters, path, hexToBytes(data))]).toEqual([path, plain(value)]);
        if (value === undefined) absent++;
        else there++;
      }
    }),
    { numRuns: 300 },
  );
  expect(Math.min(there, absent)).toBeGreaterThan(50);
});

test("of data that is cut, or has other words, it finds what viem finds, or nothing; it never throws", () => {
  const change = fc.record({
    cut: fc.option(fc.nat(400)),
    words: fc.array(fc.tuple(fc.nat(20), fc.constantFrom(0n, 1n, 31n, 32n, 64n, 96n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 255n, 2n ** 256n - 1n)), { maxLength: 2 }),
  }); // biome-ignore format: one list
  let [same, nothing, refused] = [0, 0, 0];
  fc.assert(
    fc.property(encoded, change, ([parameters, values], { cut, words }) => {
      let data = hexToBytes(encodeAbiParameters(parameters, values));
      for (const [at, word] of words)
        if (32 * at + 32 <= data.length) data.set(hexToBytes(`0x${word.toString(16).padStart(64, "0")}`), 32 * at);
      if (cut !== null) data = data.slice(0, cut);
      const decoded = decodeOrRefuse(parameters, data);
      for (const [path, value] of leaves(parameters, byName(parameters, decoded?.values ?? []))) {
        const own = found(parameters, path, data);
        if (!decoded) refused++;
        else if (own !== undefined || decoded.canonical) {
          expect([path, own]).toEqual([path, plain(value)]);
          same++;
        } else nothing++;
      }
    }),
    { numRuns: 700 },
  );
  expect(Math.min(same, nothing, refused)).toBeGreaterThan(3);
});

/** As viem decodes it, and whether encoding that gives the data again. */
function decodeOrRefuse(parameters: readonly AbiParameter[], data: Uint8Array) {
  try {
    const values = decodeAbiParameters(parameters, data) as unknown[];
    return { values, canonical: encodeAbiParameters(parameters, values) === bytesToHex(data) };
  } catch {
    return undefined; // it refuses all for one mistake
  }
}

test("padding that is not the type's, offsets and lengths beyond the end: the value is not there", () => {
  const word = (digits: string, fill = "0"): string => digits.padStart(64, fill);
  const first = (type: string, ...words: string[]) =>
    found(named([{ type } as AbiParameter]), "p0", hexToBytes(`0x${words.join("")}`));
  const address = "ab".repeat(20);
  expect(first("address", word(address))).toBe(`0x${address}`);
  expect(first("address", word(`1${address}`))).toBeUndefined();
  expect(first("uint8", word("ff"))).toBe("255");
  expect(first("uint8", word("100"))).toBeUndefined();
  expect(first("int8", word("80", "f"))).toBe("-128");
  expect(first("int8", word("80"))).toBeUndefined();
  expect(first("int8", word("7f", "f"))).toBeUndefined();
  expect(first("bool", word("1"))).toBe(true);
  expect(first("bool", word("2"))).toBeUndefined();
  expect(first("bytes4", "12345678".padEnd(64, "0"))).toBe("0x12345678");
  expect(first("bytes4", "1234567801".padEnd(64, "0"))).toBeUndefined();
  expect(first("bytes", word("20"), word("2"), "abcd")).toBe("0xabcd");
  expect(first("bytes", word("20"), word("3"), "abcd")).toBeUndefined();
  expect(first("bytes", word("21"), word("2"), "abcd")).toBeUndefined();
  expect(first("bytes", word("20", "f"), word("2"), "abcd")).toBeUndefined();
  expect(first("bytes", word("20"), word("2", "f"), "abcd")).toBeUndefined();
  expect(first("uint256", word("1").slice(2))).toBeUndefined();
  expect(first("uint256")).toBeUndefined();
});
