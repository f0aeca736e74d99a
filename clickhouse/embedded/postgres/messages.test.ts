import { describe, expect, test } from "vitest";
import { createUnits, fatal, MAX_UNIT_BYTES, type Received, simpleQuery } from "./messages.ts";

const startup = (code: number, body = ""): Buffer => {
  const message = Buffer.from(`\0\0\0\0\0\0\0\0${body}`);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(code, 4);
  return message;
};
const STARTUP = startup(196_608, "user\0weir\0\0");
const message = (type: string, body = ""): Buffer => {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
};
const EXTENDED = Buffer.concat(["P", "B", "D", "E", "S"].map((type) => message(type, `${type} body`)));
const show = (received: Received[]) => received.map((one) => (one.kind === "unit" ? one.bytes.toString() : one.kind));

describe("what a client sends is cut into units", () => {
  const all = Buffer.concat([startup(80_877_103), STARTUP, simpleQuery("SELECT 1"), EXTENDED, message("X")]);
  const units = ["encryption", STARTUP, simpleQuery("SELECT 1"), EXTENDED, "end"].map(String);

  test.each([1, 2, 3, 7, 64, all.length])("however it arrives: %i bytes at a time", (size) => {
    const cut = createUnits();
    const received: Received[] = [];
    for (let from = 0; from < all.length; from += size) received.push(...cut(all.subarray(from, from + size)));
    expect(show(received)).toEqual(units);
  });

  test("a unit is given out when it is whole, not before", () => {
    const cut = createUnits();
    cut(STARTUP);
    expect(show(cut(EXTENDED.subarray(0, -1)))).toEqual([]);
    expect(show(cut(EXTENDED.subarray(-1)))).toEqual([EXTENDED.toString()]);
  });

  test.each([
    ["another protocol", [startup(131_072)], "Cannot speak protocol 131072: expected 196608 (3.0)"],
    [
      "a startup without end",
      [Buffer.from([0x7f, 0, 0, 0, 0, 3, 0, 0])],
      "Cannot read a startup message of 2130706432 bytes",
    ],
    ["no PostgreSQL", [Buffer.from("GET / HTTP/1.1\r\n")], "Cannot read a startup message"],
    ["COPY", [STARTUP, message("d", "1")], 'Cannot take a message of type "d"'],
    ["too much", [STARTUP, Buffer.from("Q\x7f\0\0\0")], `Cannot take a statement of more than ${MAX_UNIT_BYTES} bytes`],
    ["a length that is none", [STARTUP, Buffer.from("Q\0\0\0\x03")], "Cannot take a statement"],
  ])("%s is refused", (_, pieces, error) => {
    const cut = createUnits();
    expect(() => pieces.map((piece) => cut(piece))).toThrow(error);
  });

  test("a request to cancel ends its connection and reaches nobody", () => {
    expect(show(createUnits()(startup(80_877_102, "12345678")))).toEqual(["end"]);
  });
});

test("fatal() is an ErrorResponse with severity, code and message", () => {
  expect(fatal("53300", "too many").toString()).toBe("E\0\0\0$SFATAL\0VFATAL\0C53300\0Mtoo many\0\0");
});
