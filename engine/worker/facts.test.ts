/** Rules that ask what was found in the bundled recording, against what it was made with. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { builtInRegistry } from "../chain/registry/registry.ts";
import { BUNDLED_RECORDING } from "../cli/bundled.ts";
import { parseCondition } from "../condition/parseCondition.ts";
import { CONTENT } from "../frame/content.ts";
import { hexAt } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { manifestSchema } from "../sandbox/parseManifest.ts";
import { packBatch } from "../source/batch.ts";
import { readLines } from "../source/recording.ts";
import type { SourceRecord } from "../source/records.ts";
import { createWorld, NO_LISTS } from "../world/world.ts";
import { createDecoder, type Decoded } from "./decode.ts";
import { explainRule } from "./explainRule.ts";
import { createProcessor } from "./process.ts";
import { createRuleStage } from "./ruleStage.ts";
import { createFactStage, wantsFacts } from "./withFacts.ts";

interface Truth {
  readonly arbitrageList: readonly { hash: string; account: string; profitToken: string; profit: string }[];
  readonly sandwichList: readonly { front: string; victims: string[]; back: string; pool: string; profit: string }[];
}
const truth = JSON.parse(readFileSync(new URL("../../test/recordings/truth.json", import.meta.url), "utf8")) as Truth;

let records: SourceRecord[];
let decoded: Decoded;
beforeAll(async () => {
  records = [];
  for await (const value of readLines(BUNDLED_RECORDING))
    records.push({ offset: records.length, time: 0, content: CONTENT.json, value });
  decoded = createFactStage(
    builtInRegistry,
    NO_LISTS,
  )(createDecoder(createWorld({ chains: [31_337] }))(packBatch("s", 0, 0, records.length, records)));
});

function rule(name: string, conditions: unknown): LiveRule {
  const parsed = parseCondition(conditions);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { name, version: 1, manifest: manifestSchema.parse({ name }), module: null, condition: parsed.condition };
}

const hashOf = (i: number): string => hexAt({ bytes: decoded.bytes, u32: decoded.words }, decoded.frames[i]! + OFFSET.hash, 32); // biome-ignore format: one call

/** Hashes of the transactions that hold, one list a condition. */
function hashes(...conditions: unknown[]): string[][] {
  const rules = conditions.map((condition, i) => rule(`r${i}`, condition));
  const { alerts } = createRuleStage(rules)(decoded);
  return rules.map(({ name }) => alerts.flatMap((alert) => (alert.rule === name ? [hashOf(alert.transaction)] : [])));
}

describe("the bundled recording", () => {
  test("conditions find its arbitrages, with their profits, and its sandwiches, with each one's role", () => {
    const { arbitrageList, sandwichList } = truth;
    const least = arbitrageList.map(({ profit }) => BigInt(profit)).sort((a, b) => (a < b ? -1 : 1))[
      Math.floor(arbitrageList.length / 2)
    ]!;
    const profitable = arbitrageList.filter(({ profit }) => BigInt(profit) >= least);
    const [{ account, profitToken }] = arbitrageList as [Truth["arbitrageList"][number]];
    const own = arbitrageList.filter((each) => each.account === account && each.profitToken === profitToken);
    const found = hashes(
      { isArbitrage: true },
      { "arbitrage.profit_gte": String(least) },
      { "arbitrage.account": account, "arbitrage.token": profitToken, chainId: 31_337 },
      { "sandwich.role": "frontrun" },
      { "sandwich.role_in": ["victim"] },
      { "sandwich.role": "backrun", "sandwich.pool": sandwichList[0]!.pool },
    );
    const ofPool = sandwichList.filter(({ pool }) => pool === sandwichList[0]!.pool);
    const sorted = (all: readonly string[]): string[] => [...all].sort();
    expect(found.map(sorted)).toEqual(
      [
        arbitrageList.map(({ hash }) => hash),
        profitable.map(({ hash }) => hash),
        own.map(({ hash }) => hash),
        sandwichList.map(({ front }) => front),
        sandwichList.flatMap(({ victims }) => victims),
        ofPool.map(({ back }) => back),
      ].map(sorted),
    );
  });

  test("a batch's outcome is the same as with facts that are there already, and rules without facts are shown none", () => {
    const asks = rule("asks", { "swap.protocol": "uniswap_v2", swapCount_gte: 3 });
    const plain = rule("plain", { value_gt: 0 });
    expect([wantsFacts(asks), wantsFacts(plain)]).toEqual([true, false]);
    expect(createRuleStage([plain]).wantsFacts).toBe(false);
    const process = createProcessor([asks, plain], createWorld({ chains: [31_337] }));
    const outcome = process(packBatch("s", 0, 0, records.length, records));
    const stage = createRuleStage([asks, plain]);
    const counts = stage.countsOf(stage(decoded));
    expect(outcome.rules).toEqual(counts);
    expect(counts[0]!.matches).toBeGreaterThan(10);
  });

  test("explain tells what was found", () => {
    const { hash, account, profit } = truth.arbitrageList[0]!;
    const i = Array.from({ length: decoded.count }, (_, i) => i).find((i) => hashOf(i) === hash)!;
    const asks = rule("asks", {
      and: [
        { "arbitrage.account": account, isArbitrage: true, "swap.protocol": "uniswap_v2" },
        { "arbitrage.profit_gt": profit },
      ],
    });
    const { condition, why_not, sees } = explainRule(asks, decoded, { at: i });
    expect(condition.and![0]!.and!.map(({ actual, holds }) => [actual, holds])).toEqual([
      [[account], true],
      [true, true],
      [["uniswap_v3", "uniswap_v2"], true],
    ]);
    expect([sees, why_not]).toEqual([false, `arbitrage.profit gt ${profit}: it is ${profit}`]);
  });
});
