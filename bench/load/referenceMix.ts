/** The dense mix as others made it, with its truth: ../shared/data/rules, where it is there and Python is, too. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { JsonRule } from "./ruleMix.ts";

export interface ReferenceMix {
  readonly rules: readonly JsonRule[];
  /** As JSON. */
  readonly transactions: readonly string[];
  /** Pairs of the first so many transactions and the first so many rules. */
  matches(transactions: number, rules: number): number;
}

const FOLDER = fileURLToPath(new URL("../../../shared/data/rules/", import.meta.url));

/**
 * @param count transactions to generate
 * @returns why it cannot be had, in words, where it cannot
 */
export function readReferenceMix(count: number): ReferenceMix | string {
  if (!existsSync(`${FOLDER}truth.json`)) return `there is no "${FOLDER}truth.json"`;
  const python = spawnSync("python3", [`${FOLDER}gen_transactions.py`, String(count)], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (python.error !== undefined) return `python3 cannot be started: ${python.error.message}`;
  if (python.status !== 0) return `gen_transactions.py ended with ${python.status}: ${python.stderr.trim()}`;
  const truth = JSON.parse(readFileSync(`${FOLDER}truth.json`, "utf8")) as {
    matches_by_txs_then_rules: Record<string, Record<string, number>>;
  };
  return {
    rules: JSON.parse(gunzipSync(readFileSync(`${FOLDER}rules_10000.json.gz`)).toString()) as JsonRule[],
    transactions: python.stdout.trim().split("\n"),
    matches: (transactions, rules) => truth.matches_by_txs_then_rules[transactions]![rules]!,
  };
}
