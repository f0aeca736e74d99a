import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createListTextReader, readListText } from "./listText.ts";

const A = `0x${"aB".repeat(20)}`;
const B = `0x${"01".repeat(20)}`;
const read = (text: string) => readListText("address", Buffer.from(text));
const hex = (entries: Uint8Array): string => Buffer.from(entries).toString("hex");

describe("a list as text", () => {
  test("an entry a line, in either case, with notes and empty lines, whatever ends a line", () => {
    const text = read(`# all of them\n${A}\r\n\n  ${B.toUpperCase().replace("0X", "0x")} # a note\n0X${B.slice(2)}`);
    expect(text.ok && hex(text.entries)).toBe(`${"ab".repeat(20)}${"01".repeat(40)}`);
    expect(read("")).toEqual({ ok: true, entries: new Uint8Array(0) });
  });

  test("what is wrong is told with line, value and what was expected", () => {
    expect(read(`${A}\n0x12345678\n\nvitalik.eth\n${A}0\n${A.slice(0, -1)}g`)).toEqual({
      ok: false,
      problems: [
        { line: 2, value: "0x12345678", message: "Expected an address: 0x and 40 hexadecimal digits; a list of them is of kind selector" }, // biome-ignore format: a row
        { line: 4, value: "vitalik.eth", message: "Expected an address: 0x and 40 hexadecimal digits" },
        { line: 5, value: `${A}0`, message: "Expected an address: 0x and 40 hexadecimal digits" },
        { line: 6, value: `${A.slice(0, -1)}g`, message: "Expected an address: 0x and 40 hexadecimal digits" },
      ],
    });
    const many = read("x\n".repeat(1_000));
    expect(many.ok ? 0 : many.problems.length).toBe(20);
    const endless = createListTextReader("address");
    expect(endless.feed(Buffer.alloc(2_000, "a"))).toBe(false);
    expect(endless.done()).toMatchObject({ ok: false, problems: [{ line: 1, message: expect.stringContaining("A line of more than 1024 bytes") }] }); // biome-ignore format: one expression
  });

  test("comes to the same however it is cut, and is never more than what was written", () => {
    const lines = fc.array(fc.constantFrom(A, B, "", "# note", "nonsense", ` ${A} `), { maxLength: 30 });
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 70 }), (written, size) => {
        const text = Buffer.from(written.join("\n"));
        const reader = createListTextReader("address");
        for (let at = 0; at < text.length; at += size) if (!reader.feed(text.subarray(at, at + size))) break;
        expect(reader.done()).toEqual(readListText("address", text));
        const expected = written.filter((line) => line.trim().startsWith("0x")).length * 20;
        const whole = readListText("address", text);
        if (whole.ok) expect(whole.entries.length).toBe(expected);
        else expect(whole.problems.map(({ line }) => written[line - 1])).toEqual(whole.problems.map(() => "nonsense"));
      }),
      { numRuns: 300 },
    );
  });
});
