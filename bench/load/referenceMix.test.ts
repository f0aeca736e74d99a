import { expect, test } from "vitest";
import { readReferenceMix } from "./referenceMix.ts";
import { bruteForce, parseTransaction } from "./ruleTruth.ts";

const TRANSACTIONS = 500;
const mix = readReferenceMix(TRANSACTIONS);
if (typeof mix === "string") console.warn(`The brute-force count is not compared with the reference's: ${mix}`);

test.skipIf(typeof mix === "string").each([100, 1_000, 10_000])(
  "brute force counts the reference's %i rules",
  (rules) => {
    if (typeof mix === "string") return;
    const counted = bruteForce(mix.rules.slice(0, rules), mix.transactions.map(parseTransaction));
    expect(counted.matches).toBe(mix.matches(TRANSACTIONS, rules));
  },
);
