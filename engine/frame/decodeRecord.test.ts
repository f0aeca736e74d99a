import { describe, expect, test } from "vitest";
import { CONTENT, type Content, NULL_VALUE } from "./content.ts";
import { reasonOf } from "./decodeErrors.ts";
import { decodeRecord } from "./decodeRecord.ts";
import { lastError } from "./describeError.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { hexAt } from "./readFrame.ts";
import { HEADER_SIZE, MAX_RECORD_BYTES, OFFSET } from "./schema.ts";
import { writeFrame } from "./writeFrame.ts";

const hash = (i: number) => `0x${String(i).padStart(64, "0")}`;
const from = `0x${"cd".repeat(20)}`;
const tx = (i: number) => ({
  chainId: 1,
  hash: hash(i),
  from,
  nonce: "0x0",
  value: "0x1",
  gas: "0x1",
  input: "0xabcd",
});
const line = (i: number) => JSON.stringify(tx(i));

/** What a record gives: `n:hash` or `n:reason`, in the order reported; frames first. */
function decode(record: string | Uint8Array, content: Content = CONTENT.unknown): string[] {
  const bytes = typeof record === "string" ? Buffer.from(record) : record;
  // Not at the start of its buffer, not aligned, and with a neighbour behind, as in a batch.
  const source = Buffer.concat([Buffer.from("{{{"), bytes, Buffer.from(`${line(99)}\n`)]);
  const writer = createFrameWriter({ capacity: 8, frames: 1 });
  const errors: string[] = [];
  const count = decodeRecord(source, 3, 3 + bytes.length, content, writer, (n, start, end, code) => {
    expect(start).toBeGreaterThanOrEqual(3);
    expect(end).toBeLessThanOrEqual(3 + bytes.length);
    expect(lastError().reason).toBe(reasonOf(code));
    errors.push(`${n}:${reasonOf(code)}`);
  });
  expect(count).toBe(writer.count + errors.length);
  const frames = Array.from({ length: writer.count }, (_, i) => {
    return `${writer.n[i]}:${Number(hexAt(writer, writer.offsets[i]! + OFFSET.hash, 32).slice(2))}`;
  });
  return [...frames, ...errors];
}

function packed(...numbers: number[]): Uint8Array {
  const writer = createFrameWriter();
  for (const i of numbers) writeFrame(writer, tx(i));
  return writer.bytes.slice(0, writer.end);
}

describe("decodeRecord()", () => {
  test.each([
    ["one transaction", line(1), CONTENT.json, ["0:1"]],
    ["one of unknown content", line(1), CONTENT.unknown, ["0:1"]],
    ["one over several lines", JSON.stringify(tx(1), null, 2), CONTENT.unknown, ["0:1"]],
    ["lines", `${line(1)}\n${line(2)}\n`, CONTENT.ndjson, ["0:1", "1:2"]],
    ["lines of unknown content", `${line(1)}\n${line(2)}`, CONTENT.unknown, ["0:1", "1:2"]],
    ["blank lines, which don't count", `\n \r\n${line(1)}\r\n\n\t\n${line(2)}\n\n`, CONTENT.ndjson, ["0:1", "1:2"]],
    ["a bad line among good ones", `${line(1)}\n{"a"\n${line(3)}`, CONTENT.ndjson, ["0:1", "2:3", "1:truncated"]],
    ["a bad first line of unknown content", `{}\n${line(3)}`, CONTENT.unknown, ["1:3", "0:missing_field"]],
    ["lines that claim to be one transaction", `${line(1)}\n${line(2)}`, CONTENT.json, ["0:not_json"]],
    ["an empty record", "", CONTENT.unknown, ["0:empty"]],
    ["only blank lines", "\n\n", CONTENT.ndjson, ["0:empty"]],
    ["noise", Buffer.from([0, 1, 2, 255]), CONTENT.unknown, ["0:not_json"]],
    ["noise that claims to be frames", Buffer.from([9, 9]), CONTENT.frames, ["0:bad_frame"]],
    ["frames", packed(1, 2, 3), CONTENT.frames, ["0:1", "1:2", "2:3"]],
    ["frames of unknown content", packed(1, 2), CONTENT.unknown, ["0:1", "1:2"]],
    ["frames cut off", packed(1, 2).slice(0, -8), CONTENT.unknown, ["0:1", "1:bad_frame"]],
    ["5 MB", Buffer.alloc(5_000_000, 32), CONTENT.ndjson, ["0:too_large"]],
    ["4 MiB of lines", Buffer.alloc(MAX_RECORD_BYTES, 10), CONTENT.ndjson, ["0:empty"]],
  ] satisfies [string, string | Uint8Array, Content, string[]][])("%s", (_, record, content, expected) => {
    expect(decode(record, content)).toEqual(expected);
  }); // biome-ignore format: a table

  test("goes on behind a bad frame whose size can be believed, and names what is wrong with it", () => {
    const frames = packed(1, 2, 3);
    const second = frames.length / 3;
    frames[second + OFFSET.chainId] = 0;
    expect(decode(frames)).toEqual(["0:1", "2:3", "1:bad_frame"]);
    expect(lastError()).toMatchObject({ field: "chainId", at: OFFSET.chainId });
    frames[second + OFFSET.size] = 1; // no multiple of 8: where the third begins is not known
    expect(decode(frames)).toEqual(["0:1", "1:bad_frame"]);
    frames[HEADER_SIZE + 7] = 1;
    expect(decode(frames.subarray(0, second))).toEqual(["0:bad_frame"]);
    expect(lastError()).toMatchObject({ field: "input" });
  });

  test("a record without a value", () => {
    const writer = createFrameWriter();
    const codes: number[] = [];
    expect(
      decodeRecord(new Uint8Array(8), 4, 4 + NULL_VALUE, CONTENT.unknown, writer, (_n, _s, _e, code) =>
        codes.push(code),
      ),
    ).toBe(1);
    expect(codes.map(reasonOf)).toEqual(["no_value"]);
  });
});
