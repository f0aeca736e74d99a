import { expect, test } from "vitest";
import { MIXES, type MixName, mixRules, mixTransactions } from "../load/ruleMix.ts";
import { bruteForce, parseTransaction } from "../load/ruleTruth.ts";
import { compileClosures, runClosures } from "./closures.ts";
import { createJsonRulesEngine } from "./jsonRulesEngine.ts";

const transactions = mixTransactions(500).map(parseTransaction);

test.each(Object.keys(MIXES) as MixName[])("the peers find the pairs of the mix %s", async (mix) => {
  const rules = mixRules(mix, 500);
  const expected = bruteForce(rules, transactions);
  expect(runClosures(compileClosures(rules), transactions)).toEqual(expected);
  const some = transactions.slice(0, 40);
  expect(await createJsonRulesEngine(rules)(some)).toEqual(bruteForce(rules, some));
});
