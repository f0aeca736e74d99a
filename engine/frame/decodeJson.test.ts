import { describe, expect, test } from "vitest";
import { DECODE_ERRORS, reasonOf } from "./decodeErrors.ts";
import { decodeJson } from "./decodeJson.ts";
import { lastError } from "./describeError.ts";
import { frameToObject } from "./frameToJson.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { extraText, frameSize, has, u64AsNumber } from "./readFrame.ts";
import { MAX_RECORD_BYTES, OFFSET, PRESENT } from "./schema.ts";

const HASH = `0x${"ab".repeat(32)}`;
const ADDRESS = `0x${"cd".repeat(20)}`;
const LOG = { address: ADDRESS, topics: [HASH], data: "0x1234", logIndex: "0x0" };
const PENDING = {
  chainId: 1,
  hash: HASH,
  from: ADDRESS,
  to: ADDRESS,
  nonce: "0x0",
  value: "0x1",
  gas: "0x5208",
  input: "0x",
};
const MINED = {
  ...PENDING,
  blockNumber: "0x10",
  blockHash: HASH,
  transactionIndex: "0x1",
  block: { number: "0x10", hash: HASH, transactionCount: 2 },
  receipt: { status: "0x1", logs: [LOG] },
};

const writer = createFrameWriter({ capacity: 64, frames: 1 });

function decode(json: string | object): string {
  const source = Buffer.from(typeof json === "string" ? json : JSON.stringify(json), "latin1");
  writer.reset();
  const code = decodeJson(source, 0, source.length, writer);
  return code === 0 ? "" : reasonOf(code);
}

/** JSON of a transaction with one member (its text) in front. */
function withMember(member: string): string {
  return `{${member},${JSON.stringify(MINED).slice(1)}`;
}

describe("decodeJson() refuses", () => {
  const omit = (name: keyof typeof PENDING) => ({ ...PENDING, [name]: undefined });
  const cases: [name: string, json: string | object, reason: keyof typeof DECODE_ERRORS, field: string][] = [
    ["nothing", "", "empty", ""],
    ["spaces", " \n", "empty", ""],
    ["binary noise", "\x00\x01\x02", "not_json", ""],
    ["half a transaction", JSON.stringify(MINED).slice(0, 100), "truncated", "from"],
    ["an array", "[]", "not_object", ""],
    ["a byte behind the end", `${JSON.stringify(PENDING)}x`, "not_json", ""],
    ["a comma behind the last member", `${JSON.stringify(PENDING).slice(0, -1)},}`, "not_json", ""],
    ["a comma behind the last element", withMember('"x":[1,]'), "not_json", "x[1]"],
    ["a leading zero", withMember('"x":01'), "not_json", "x"],
    ["NaN", withMember('"x":NaN'), "not_json", "x"],
    ["a byte order mark", `\xef\xbb\xbf${JSON.stringify(PENDING)}`, "not_json", ""],
    ["a raw tab in a string", withMember('"x":"\t"'), "control_character", "x"],
    ["an escape that is none", withMember('"x":"\\x"'), "bad_escape", "x"],
    ["invalid UTF-8", withMember('"x":"\xff"'), "bad_utf8", "x"],
    ["a surrogate in UTF-8", withMember('"x":"\xed\xa0\x80"'), "bad_utf8", "x"],
    ["an overlong form in UTF-8", withMember('"x":"\xe0\x80\xaf"'), "bad_utf8", "x"],
    ["257 levels", withMember(`"x":${"[".repeat(256)}${"]".repeat(256)}`), "too_deep", `${`x${"[0]".repeat(255)}`.slice(0, 200)}…`],
    ["a key twice", withMember(`"hash":"${HASH}"`), "duplicate_key", "hash"],
    ["an unknown key twice", withMember('"x":1,"x":2'), "duplicate_key", "x"],
    ["an unknown key twice, once escaped", withMember('"x":1,"\\u0078":2'), "duplicate_key", "x"],
    ["a key twice in an unknown value", withMember('"x":[{"a":1,"a":1}]'), "duplicate_key", "x[0].a"],
    ["no hash", omit("hash"), "missing_field", "hash"],
    ["no input", omit("input"), "missing_field", "input"],
    ["null for the sender", { ...PENDING, from: null }, "missing_field", "from"],
    ["a log without data", { ...MINED, receipt: { logs: [{ ...LOG, data: undefined }] } }, "missing_field", "receipt.logs[0].data"],
    ["an empty log", { ...MINED, receipt: { logs: [{}] } }, "missing_field", "receipt.logs[0].address"],
    ["a number for a quantity", { ...PENDING, nonce: 1 }, "wrong_type", "nonce"],
    ["a string for an object", { ...PENDING, block: "0x1" }, "wrong_type", "block"],
    ["an object for an array", { ...MINED, receipt: { logs: {} } }, "wrong_type", "receipt.logs"],
    ["a chain with decimals", { ...PENDING, chainId: 1.5 }, "wrong_type", "chainId"],
    ["a fourth decimal of a millisecond", { ...PENDING, seenAt: 1.2345 }, "wrong_type", "seenAt"],
    ["0X", { ...PENDING, value: "0X1" }, "bad_hex", "value"],
    ["no digits", { ...PENDING, value: "0x" }, "bad_hex", "value"],
    ["a letter too far", { ...PENDING, hash: HASH.replace("a", "g") }, "bad_hex", "hash"],
    ["a short address", { ...PENDING, to: "0x12" }, "hex_too_short", "to"],
    ["a long address", { ...PENDING, to: `${ADDRESS}00` }, "hex_too_long", "to"],
    ["a long quantity", { ...PENDING, nonce: `0x${"0".repeat(17)}` }, "hex_too_long", "nonce"],
    ["an odd number of digits", { ...PENDING, input: "0x123" }, "hex_odd", "input"],
    ["chain 0", { ...PENDING, chainId: 0 }, "out_of_range", "chainId"],
    ["a chain over 2^53", { ...PENDING, chainId: "0x20000000000000" }, "out_of_range", "chainId"],
    ["a status of 2", { ...MINED, receipt: { status: "0x2" } }, "out_of_range", "receipt.status"],
    ["a block of 2^32 transactions", { ...PENDING, block: { transactionCount: 2 ** 32 } }, "out_of_range", "block.transactionCount"],
    ["five topics", { ...MINED, receipt: { logs: [{ ...LOG, topics: Array(5).fill(HASH) }] } }, "too_many_topics", "receipt.logs[0].topics[4]"],
    ["another block number", { ...MINED, block: { number: "0x11" } }, "inconsistent", "block.number"],
    ["another block hash", { ...MINED, block: { hash: HASH.replace("ab", "aa") } }, "inconsistent", "block.hash"],
    ["an index behind the block's end", { ...MINED, transactionIndex: "0x2" }, "inconsistent", "transactionIndex"],
    ["a name of extra's own", withMember('"block.size":1'), "reserved_key", "block.size"],
    ["more than 4 MiB", " ".repeat(MAX_RECORD_BYTES + 1), "too_large", ""],
  ]; // biome-ignore format: a table
  test.each(cases)("%s", (_, json, reason, field) => {
    expect(decode(json)).toBe(reason);
    const error = lastError();
    expect(error).toMatchObject({ reason, field, code: DECODE_ERRORS[reason][0] });
    expect(error.message).toMatch(/^Cannot decode transaction: .+, expected .+$/);
    expect(writer).toMatchObject({ end: 0, count: 0 });
  });

  test("with a message that says where, what, and what was expected", () => {
    const json = JSON.stringify({ ...MINED, receipt: { logs: [LOG, { ...LOG, data: "0x123" }] } });
    decode(json);
    const at = json.indexOf('"0x123"');
    const field = '"receipt.logs[1].data"';
    const expected = `${field} at byte ${at} is "0x123", expected 0x and an even number of hex digits`;
    expect(lastError().message).toBe(`Cannot decode transaction: ${expected}`);
  });

  test("with the byte of the source even where escapes come before it", () => {
    const json = withMember('"\\u0078":"\\u00e9"').replace('"value":"0x1"', '"value":"0xg"');
    expect(decode(json)).toBe("bad_hex");
    expect(lastError()).toMatchObject({ field: "value", at: json.indexOf('"0xg"') });
  });
});

describe("decodeJson() accepts", () => {
  test("256 levels, the transaction's own included", () => {
    expect(decode(withMember(`"x":${"[".repeat(255)}${"]".repeat(255)}`))).toBe("");
  });

  test("upper-case digits, leading zeros up to the width, spaces, escapes", () => {
    expect(decode({ ...PENDING, value: `0x${"0".repeat(62)}AB`, hash: HASH.toUpperCase().replace("X", "x") })).toBe("");
    expect(frameToObject(writer, 0)).toEqual({ ...PENDING, value: "0xab" });
    expect(
      decode(
        ` {\n"\\u0068ash" : "\\u0030x${HASH.slice(2)}",${JSON.stringify({ ...PENDING, hash: undefined }).slice(1)}\r\n`,
      ),
    ).toBe("");
    expect(frameToObject(writer, 0)).toEqual(PENDING);
  });

  test("null as absent", () => {
    expect(
      decode({ ...PENDING, to: null, block: null, receipt: null, seenAt: null, type: null, accessList: null }),
    ).toBe("");
    expect(writer.u32[OFFSET.present >> 2]).toBe(0);
  });

  test("empty block, receipt, logs and access list as present", () => {
    expect(decode({ ...PENDING, block: {}, receipt: { logs: [] }, accessList: [] })).toBe("");
    for (const part of ["block", "receipt", "logs", "accessList"] as const)
      expect(has(writer, 0, PRESENT[part])).toBe(true);
  });

  test("what nodes give: chainId as hex, data for input, log members that repeat the transaction", () => {
    const { input, ...rest } = MINED;
    const log = { ...LOG, blockHash: HASH, transactionHash: HASH, removed: false, blockTimestamp: "0x1" };
    expect(decode({ ...rest, chainId: "0x1", data: "0xaabb", receipt: { logs: [log], type: "0x2" }, v: "0x1" })).toBe(
      "",
    );
    const expected = { ...rest, input: "0xaabb", receipt: { logs: [LOG], type: "0x2" }, v: "0x1" };
    expect(frameToObject(writer, 0)).toEqual(expected);
    expect(extraText(writer, 0)).toBe('"v":"0x1","receipt.type":"0x2"');
  });

  test("data beside input as an unknown member", () => {
    expect(decode({ data: "0xff", ...PENDING, input: "0xee" })).toBe("");
    expect(frameToObject(writer, 0)).toEqual({ ...PENDING, input: "0xee", data: "0xff" });
  });

  test.each([[1763700000000.123, 1763700000000123], [0, 0], ["0x3e8", 1000000], [1.5, 1500]])("seenAt %s as %d µs", (seenAt, micros) => {
    expect(decode({ ...PENDING, seenAt })).toBe("");
    expect(u64AsNumber(writer, OFFSET.seenAt)).toBe(micros);
  }); // biome-ignore format: a table

  test("members in any order: data before topics, receipt before input", () => {
    const { input, receipt, ...rest } = MINED;
    const { topics, ...log } = LOG;
    const reordered = {
      receipt: {
        logs: [
          { ...log, topics },
          { ...log, topics: [HASH, HASH] },
        ],
      },
      ...rest,
      input: "0x010203",
    };
    expect(decode(reordered)).toBe("");
    expect(frameToObject(writer, 0)).toEqual(reordered);
  });
});

test("decodeJson() appends to what the writer has, growing it", () => {
  const source = Buffer.from(JSON.stringify(MINED));
  writer.reset();
  for (let n = 0; n < 100; n++) expect(decodeJson(source, 0, source.length, writer, n)).toBe(0);
  expect(writer.count).toBe(100);
  const size = frameSize(writer, 0);
  expect([...writer.offsets.subarray(0, 100)]).toEqual(Array.from({ length: 100 }, (_, i) => i * size));
  expect(frameToObject(writer, 99 * size)).toEqual(MINED);
});

test("decodeJson() stays within start and end", () => {
  const json = JSON.stringify(PENDING);
  const source = Buffer.from(`{"x${json}"}`);
  writer.reset();
  expect(decodeJson(source, 3, 3 + json.length, writer)).toBe(0);
  expect(reasonOf(decodeJson(source, 3, 2 + json.length, writer))).toBe("truncated");
});

test("every error has a code of its own", () => {
  const codes = Object.values(DECODE_ERRORS).map(([code]) => code);
  expect(codes).toEqual(Array.from({ length: codes.length }, (_, i) => i + 1));
  expect(() => reasonOf(99)).toThrow('Cannot name decode error "99"');
});
