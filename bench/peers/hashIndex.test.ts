import { expect, test } from "vitest";
import { mixRules, mixTransactions } from "../load/ruleMix.ts";
import { countByRule, parseTransaction } from "../load/ruleTruth.ts";
import { createHashIndex, type ParsedTransaction } from "./hashIndex.ts";
import { indexLine } from "./indexLine.ts";
import { createProgress } from "./kafkaPeer.ts";

test("the hand-made index counts by rule what brute force counts, values on a threshold included", () => {
  const rules = mixRules("dense", 1_000);
  const [line] = mixTransactions(1) as [string];
  const { input, gasPrice } = parseTransaction(line);
  const edge = (id: string, above: bigint) => ({
    id,
    conditions: {
      and: [
        { field: "input", operator: "starts_with", value: input.slice(0, 10) },
        { field: "gasPrice", operator: "gt", value: String(above) },
      ],
    },
  });
  const all = [...rules, edge("below", gasPrice - 1n), edge("on", gasPrice), edge("on, too", gasPrice)];
  const lines = mixTransactions(400);
  const index = createHashIndex(all);
  const matches = lines.reduce((sum, each) => sum + index.match(JSON.parse(each) as ParsedTransaction), 0);
  const expected = countByRule(all, lines.map(parseTransaction));
  expect(index.counts()).toEqual(expected);
  expect(matches).toBe(expected.reduce((sum, count) => sum + count, 0));
  expect(index.counts().at(-3)! - index.counts().at(-2)!).toBe(1);
});

test("a rule that the hand-made index does not know is refused by name", () => {
  const other = mixRules("ranges", 200).find(({ conditions }) => "or" in conditions || JSON.stringify(conditions).includes("not"))!; // biome-ignore format: one line
  expect(() => indexLine(other)).toThrow(`"${other.id}"`);
});

test("progress of several processes is their sum, and waits end with the peer", async () => {
  const progress = createProgress(2);
  progress.tell(0, { transactions: 2, matches: 5 });
  const waiting = progress.until(5, 10);
  progress.tell(1, { transactions: 3, matches: 1 });
  expect(await waiting).toEqual({ transactions: 5, matches: 6 });
  await expect(progress.until(6, 0)).rejects.toThrow("5 transactions after 0 s, expected 6");
  const lost = progress.until(6, 10);
  progress.end(new Error("it ended"));
  await expect(lost).rejects.toThrow("it ended");
});
