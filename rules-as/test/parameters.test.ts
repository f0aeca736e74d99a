/** Values of parameters, as a rule of the SDK sees them: what was given, to the last bit, in all that is made of it. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sampleTransaction, type TriedRule, tryRule } from "../cli/tryRule.ts";

const guest = await tryRule(fileURLToPath(new URL("guests/parameters.ts", import.meta.url)));
const ETHER = 10n ** 18n;
const WHO = "0x28c6c06298d514db089934071355e5743bf21d60";
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const much = sampleTransaction({ value: `0x${(ETHER * 1_000_000n).toString(16)}`, nonce: "0xffffffffffff" });
const said = (rule: TriedRule) => rule.run([much]).verdicts[0]!;

test("without values a rule has its defaults, and declares what may be given", () => {
  expect(said(guest).alerts).toEqual([
    `info: ${100n * ETHER} ${200n * ETHER} 7 0.25 true ${WHO} true ${TRANSFER}`,
    `info: ${0xa9059cbb} 0x0102 plain strict ${0xffff_ffff_ffff}`,
    "low: default",
  ]);
  expect(guest.manifest.parameters).toMatchObject({
    least: { type: "integer", default: String(100n * ETHER), min: "1", max: String(1_000_000n * ETHER), description: "in wei" }, // biome-ignore format: one declaration
    count: { type: "integer", default: "7", min: "1", max: "1000000000000" },
    ratio: { type: "number", default: 0.25, min: -1000, max: 1e300 },
    method: { type: "selector", default: "0xa9059cbb" },
    mode: { type: "text", choices: ["strict", "loose"] },
  });
});

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => `0x${Buffer.from(value).toString("hex")}`);
const values = fc.record(
  {
    least: fc.bigInt(1n, 1_000_000n * ETHER).map(String),
    count: fc.integer({ min: 14, max: 1_000_000_000_000 }),
    // the texts of numbers that small or large differ between the languages
    ratio: fc.integer({ min: -999_999, max: 1_000_000_000 }).map((n) => n / 1024),
    loud: fc.boolean(),
    ...{ who: hex(20), event: hex(32), method: hex(4) },
    prefix: fc.integer({ min: 0, max: 64 }).chain(hex),
    note: fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !text.includes("\0")),
    mode: fc.constantFrom("strict", "loose"),
  },
  { requiredKeys: [] },
);

test("every value arrives as it was given, in what is made of it and in the filter", () => {
  fc.assert(
    fc.property(values, (given) => {
      const rule = guest.with(given);
      const all = { ...{ least: String(100n * ETHER), count: 7, ratio: 0.25, loud: true, who: WHO, event: TRANSFER, method: "0xa9059cbb", prefix: "0x0102", note: "plain", mode: "strict" }, ...given }; // biome-ignore format: one object
      const { least, count, ratio, loud, who, event, method, prefix, note, mode } = all;
      const ratioText = Number.isInteger(ratio) ? `${ratio}.0` : String(ratio);
      const { alerts } = said(rule);
      expect(alerts[0]).toBe(`info: ${least} ${BigInt(least) * 2n} ${count} ${ratioText} ${loud} ${who} true ${event}`);
      expect(alerts[1]).toBe(`info: ${Number(method)} ${prefix} ${note} ${mode} ${0xffff_ffff_ffff}`);
      expect(alerts.length).toBe(who === WHO ? 3 : 2);
      expect(rule.manifest.filter.minValue).toBe(least);
      const under = (BigInt(least) - 1n).toString(16);
      const { verdicts } = rule.run([{ ...much, value: `0x${under}` }, { ...much, nonce: `0x${(count - 1).toString(16)}` }]); // biome-ignore format: one call
      expect(verdicts.map(({ candidate }) => candidate)).toEqual([false, false]);
    }),
    { numRuns: 60 },
  );
});

test("what cannot be given is told with what was expected; a top level that aborts refuses its values", () => {
  expect(() => guest.with({ least: 0, mod: "strict" })).toThrow(
    `least: Expected a whole number from 1 to ${1_000_000n * ETHER}, got 0; mod: Unknown parameter "mod"`,
  );
  expect(() => guest.with({ count: 13 })).toThrow("13 brings bad luck");
  expect(() => guest.with({ note: "x".repeat(1024), prefix: `0x${"ab".repeat(512)}` })).not.toThrow();
});
