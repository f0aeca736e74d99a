import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { detectAll } from "./detectAll.ts";
import { compare, isGood, type Judgements, type Line } from "./recall.ts";
import { REFERENCE, readJudgements } from "./reference.ts";

const swap = (amount: string, more: object = {}): Line => ({
  kind: "swap",
  tx_hash: "0x1",
  pool: "p",
  token_in: "a",
  token_out: "b",
  amount_in: amount,
  amount_out: "2",
  ...more,
});
const judgements: Judgements = {
  reasons: { tax: { verdict: "ours", text: "taxed" }, wrong: { verdict: "false", text: "a bug" } },
  judged: { "swap 0x1 p": "tax", "swap 0x2 p": "wrong" },
};
const swaps = (expected: Line[], found: Line[]) => compare(expected, found, judgements)[0]!;

describe("compare()", () => {
  it("counts what is equal, each once", () => {
    expect(swaps([swap("1"), swap("1")], [swap("1"), swap("1")])).toMatchObject({
      expected: 2,
      equal: 2,
      differences: [],
    });
    expect(swaps([swap("1"), swap("1")], [swap("1")]).differences).toMatchObject([{ how: "missed" }]);
  });

  it("pairs equals before what only looks alike", () => {
    const { equal, differences } = swaps([swap("5"), swap("1")], [swap("1"), swap("4")]);
    expect(equal).toBe(1);
    expect(differences).toMatchObject([
      { how: "differs", fields: ["amount_in 5 here 4"], verdict: "ours", reason: "taxed" },
    ]);
  });

  it("is good only if every difference is judged, and none as false or missed without reason", () => {
    const of = (expected: Line[], found: Line[]): boolean => isGood(compare(expected, found, judgements));
    expect(of([swap("1")], [swap("1")])).toBe(true);
    expect(of([], [swap("1")])).toBe(true);
    expect(of([], [swap("1", { tx_hash: "0x2" })])).toBe(false);
    expect(of([], [swap("1", { tx_hash: "0x3" })])).toBe(false);
    expect(of([swap("1", { tx_hash: "0x3" })], [])).toBe(false);
  });

  it("leaves out router arbitrages, and takes a sandwich's layers for its frontrun and backrun", () => {
    const arbitrage = { kind: "arbitrage", definition: "router", tx_hash: "0x9" };
    const sandwich = { kind: "sandwich", pool: "p", frontrun_tx: "0xf", victim_txs: ["0xv"], backrun_tx: "0xb", profit_token: "a", profit_amount: "1" }; // biome-ignore format: a line
    const layers = {
      ...sandwich,
      tx_hash: "0xf",
      frontrun_txs: ["0xf", "0xg"],
      backrun_txs: ["0xa", "0xb"],
      backrun_tx: "0xa",
    };
    const [, arbitrages, sandwiches] = compare([sandwich], [arbitrage, layers], judgements);
    expect(arbitrages).toMatchObject({ expected: 0, differences: [] });
    expect(sandwiches).toMatchObject({ expected: 1, equal: 1, differences: [] });
  });
});

it.skipIf(!existsSync(REFERENCE.recording))(
  "finds in real blocks all that the reference has, and nothing false",
  async () => {
    const lines = readFileSync(REFERENCE.expected, "utf8").trim().split("\n");
    const found = await detectAll(REFERENCE.recording);
    const recalls = compare(lines.map((line) => JSON.parse(line) as Line), found, readJudgements()); // biome-ignore format: one line
    for (const { differences } of recalls) {
      expect(differences.filter(({ verdict }) => verdict !== "ours")).toEqual([]);
      expect(differences.filter(({ how }) => how === "missed")).toEqual([]);
    }
    expect(recalls.map(({ kind, expected }) => [kind, expected])).toEqual([
      ["swap", 511],
      ["arbitrage", 21],
      ["sandwich", 10],
      ["liquidation", 8],
    ]);
    // No judgement is left over from something that is not found any more.
    const places = recalls.flatMap(({ differences }) => differences.map(({ place }) => place));
    expect(Object.keys(readJudgements().judged).filter((place) => !places.includes(place))).toEqual([]);
  },
);
if (!existsSync(REFERENCE.recording))
  process.stderr.write(`no blocks at ${REFERENCE.recording}: recall is not tested\n`);
