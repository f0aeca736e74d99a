import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeLedger, encodeLedger, MAX_CUTS, MAX_LEDGER_TEXT, MAX_RANGES, type PartitionState } from "./ledger.ts";

const [RULES, WORLD, ROUND] = ["0123456789abcdef", "fedcba9876543210", "00ff00ff00ff00ff"];
const id = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 16, maxLength: 16 });

/** States as a lane has them: ranges follow one another, only the last is open, `published` is where they end. */
const state: fc.Arbitrary<PartitionState> = fc
  .record({
    stored: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 45 })),
    ranges: fc.array(
      fc.record({
        steps: fc.array(fc.integer({ min: 1, max: 2 ** 30 }), { minLength: 1, maxLength: 30 }),
        catalogue: id,
        world: id,
        round: id,
      }),
      { maxLength: 3 },
    ),
    open: fc.boolean(),
  })
  .map(({ stored, ranges, open }) => {
    let at = stored;
    return {
      stored,
      ranges: ranges.map(({ steps, catalogue, world, round }, i) => ({
        cuts: steps.map((step) => (at += step)),
        round: open && i === ranges.length - 1 ? undefined : round,
        catalogue,
        world,
      })),
      published: at,
    };
  });

describe("ledger text", () => {
  test("gives back every state", () => {
    fc.assert(
      fc.property(state, (given) => {
        expect(decodeLedger(encodeLedger(given), given.published)).toEqual(given);
      }),
    );
  });

  test("is what the format says", () => {
    const given = {
      stored: 36,
      published: 110,
      ranges: [
        { cuts: [46, 72], round: ROUND, catalogue: RULES, world: WORLD },
        { cuts: [110], round: undefined, catalogue: WORLD, world: RULES },
      ],
    };
    expect(encodeLedger(given)).toBe(`1;10;${RULES},${WORLD},${ROUND},a+q;${WORLD},${RULES},o,12`);
  });

  test("as many full ranges of large batches as there may be fit into what Kafka keeps", () => {
    const step = 36 ** 5 - 1; // 60 million offsets a batch
    const cuts = (from: number) => Array.from({ length: MAX_CUTS }, (_, i) => from + (i + 1) * step);
    const ranges = Array.from({ length: MAX_RANGES }, (_, i) => ({
      cuts: cuts(2 ** 40 + i * MAX_CUTS * step),
      round: ROUND,
      catalogue: RULES,
      world: WORLD,
    }));
    expect(encodeLedger({ stored: 2 ** 40, published: ranges.at(-1)!.cuts.at(-1)!, ranges }).length).toBeLessThan(
      MAX_LEDGER_TEXT,
    );
  });

  test("a state that does not fit is refused with its length", () => {
    const cuts = Array.from({ length: 2_100 }, (_, i) => i + 1);
    const given = { stored: 0, published: 2_100, ranges: [{ cuts, round: ROUND, catalogue: RULES, world: WORLD }] };
    expect(() => encodeLedger(given)).toThrow("its text is 4254 bytes, expected at most 4095; close ranges earlier");
  });

  const range = (cuts: string, round = ROUND, catalogue = RULES) => `${catalogue},${WORLD},${round},${cuts}`;
  test.each([
    { why: "nothing", text: "", at: 0, message: 'its version is "", expected 1' },
    { why: "a later version", text: "2;0", at: 0, message: 'its version is "2", expected 1' },
    { why: "no position", text: "1", at: 0, message: '"undefined" is not a number' },
    { why: "a number with a sign", text: "1;-5", at: 0, message: '"-5" is not a number' },
    { why: "a number with something behind it", text: "1;5 ", at: 5, message: '"5 " is not a number' },
    { why: "a number with a leading zero", text: "1;05", at: 5, message: '"05" is not a number' },
    { why: "a number beyond 2^53", text: "1;zzzzzzzzzzzz", at: 0, message: "is not a number" },
    { why: "a range without a round", text: `1;0;${RULES},${WORLD}`, at: 0, message: '"" is not a number' },
    { why: "another round", text: `1;0;${range("1", "x")}`, at: 1, message: '"x" is not an id of 16 hex digits' },
    { why: "a fifth part", text: `1;0;${range("1")},1`, at: 1, message: "a range has 5 parts, expected 4" },
    { why: "a range without batches", text: `1;0;${range("")}`, at: 0, message: '"" is not a number' },
    { why: "an empty batch", text: `1;0;${range("1+0")}`, at: 1, message: "a batch is empty" },
    { why: "an open range before the last", text: `1;0;${range("1", "o")};${range("1")}`, at: 2, message: "is open" },
    { why: "a path for a hash", text: `1;0;${range("1", ROUND, "../../rules")}`, at: 1, message: "not an id" },
    { why: "another offset", text: `1;0;${range("5")}`, at: 6, message: "its ranges end at 5, expected the committed" },
    { why: "a foreign text", text: '{"metadata":true}', at: 7, message: "its version is" },
  ])("a text with $why is refused, and shown", ({ text, at, message }) => {
    expect(() => decodeLedger(text, at)).toThrow(message);
    expect(() => decodeLedger(text, at)).toThrow(`Cannot read the ledger "${text.slice(0, 80)}" at offset ${at}`);
  });

  test("any text is read or refused, and what is read is written as it was", () => {
    const piece = fc.constantFrom("1", ";", ",", "+", "o", RULES, WORLD, "z", "0", "\u0000", "é");
    const texts = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 24 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, fc.nat(100), (text, published) => {
        let read: PartitionState;
        try {
          read = decodeLedger(text, published);
        } catch (error) {
          expect((error as Error).message).toContain("Cannot read the ledger");
          return;
        }
        expect(encodeLedger(read)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
