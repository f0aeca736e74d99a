import type { Command } from "commander";
import { count, group } from "../terminal.ts";
import { compareLines } from "./compareLines.ts";
import { createEvaluator, type Evaluated, type MatchLine } from "./evaluate.ts";
import { listsOfStore } from "./listFiles.ts";
import { findRule } from "./namedRule.ts";
import { writeOut } from "./output.ts";
import { type HistoryOptions, overHistory, withHistoryOptions } from "./overHistory.ts";
import { type GivenValues, withParamOption } from "./values.ts";

export function diffCommand(command: Command): void {
  withParamOption(
    withHistoryOptions(
      command
        .argument("<old>", "a live rule's name, a source (.ts), a module (.wasm) or a JSON rule (.json)")
        .argument("<new>", "another of these, or the same one with other parameters"),
    ),
    "NEW",
  )
    .addHelpText(
      "after",
      `
Both see the same transactions. What only OLD says of a transaction is dropped (-), what only NEW says is added (+).

Examples:
  weir rule diff whale-transfer whale-transfer.ts --from -7d
  weir rule diff whale-transfer whale-transfer --param 'threshold=5 ether'
  weir rule diff v1.wasm v2.wasm --json | jq -c 'select(.change == "+")'`,
    )
    .action(async (oldRule: string, newRule: string, options: HistoryOptions & { param?: GivenValues }) => {
      const rules = [await findRule(oldRule), await findRule(newRule, options.param)];
      const [before, after] = await Promise.all(
        rules.map(async ({ rule }) => createEvaluator(rule, await listsOfStore(rule))),
      );
      const asJson = options.json || !process.stdout.isTTY;
      let added = 0;
      let dropped = 0;
      await overHistory("comparing", options, async (decoded) => {
        const changes = compare(before!.evaluate(decoded), after!.evaluate(decoded));
        for (const { change } of changes) change === "+" ? added++ : dropped++;
        await writeOut(changes.map(asJson ? (change) => `${JSON.stringify(change)}\n` : describeChange).join(""));
      });
      const { transactions, matches } = after!.totals();
      const unchanged = matches + after!.totals().traps - added;
      await writeOut(
        asJson
          ? `${JSON.stringify({ summary: { transactions, added, dropped, unchanged } })}\n`
          : `${count(transactions, "transaction")}: ${group(added)} added, ${group(dropped)} dropped, ${group(unchanged)} unchanged\n`,
      );
    });
}

export type Change = { readonly change: "+" | "-" } & Omit<MatchLine, "rule">;

/** By transaction, in their order; of each first what is dropped. Names of rules do not matter. */
function compare(before: readonly Evaluated[], after: readonly Evaluated[]): Change[] {
  const [olds, news] = [textsByTransaction(before), textsByTransaction(after)];
  const transactions = [...new Set([...olds.keys(), ...news.keys()])].sort((a, b) => a - b);
  return transactions.flatMap((transaction) =>
    compareLines(olds.get(transaction) ?? [], news.get(transaction) ?? []).map(({ sign, line }) => ({
      change: sign,
      ...(JSON.parse(line) as Omit<MatchLine, "rule">),
    })),
  );
}

function textsByTransaction(found: readonly Evaluated[]): Map<number, string[]> {
  const texts = new Map<number, string[]>();
  for (const { transaction, line } of found) {
    const { rule: _, ...said } = line;
    const known = texts.get(transaction);
    if (known) known.push(JSON.stringify(said));
    else texts.set(transaction, [JSON.stringify(said)]);
  }
  return texts;
}

function describeChange({ change, block_number, tx_hash, severity, message, tag, score, failure }: Change): string {
  const what = severity ?? failure ?? (tag === undefined ? "score" : "tag");
  return `${change} ${block_number ?? "pending"}  ${tx_hash}  ${what}  ${message ?? tag ?? score}\n`;
}
