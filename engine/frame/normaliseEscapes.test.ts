import { expect, test } from "vitest";
import { normaliseEscapes, sourcePosition } from "./normaliseEscapes.ts";

const normalise = (json: string) => {
  const source = Buffer.from(`x${json}x`);
  return Buffer.from(normaliseEscapes(source, 1, source.length - 1)).toString();
};

test.each([
  ['"\\u0061\\u00e9\\u20ac"', '"aé€"'],
  ['"\\ud83d\\ude00"', '"😀"'],
  ['"\\/"', '"/"'],
  ['"\\u002F\\u0022\\u005C"', '"/\\"\\\\"'],
  ['"\\u000A\\u0008\\u001F"', '"\\n\\b\\u001f"'],
  ['"\\uDFFF\\uD83D\\u0061\\uD83D"', '"\\udfff\\ud83da\\ud83d"'],
  ['"\\\\u0061"', '"\\\\u0061"'],
])("%s becomes %s, the spelling of JSON.stringify", (json, expected) => {
  expect(normalise(json)).toBe(expected);
  expect(normalise(json)).toBe(JSON.stringify(JSON.parse(json)));
  expect(normalise(normalise(json))).toBe(expected);
});

test.each(['"\\u12g4"', '"\\x"', '"\\', '"\\u00', "\\u0022", '{"a":\\u007b}'])("%s stays, to be refused", (json) => {
  expect(normalise(json)).toBe(json);
});

test("sourcePosition() finds the byte again", () => {
  const source = Buffer.from('["\\u0061\\u00e9", 7]');
  const position = Buffer.from(normaliseEscapes(source, 0, source.length)).indexOf("7");
  expect(sourcePosition(source, 0, source.length, position)).toBe(source.indexOf("7"));
});
