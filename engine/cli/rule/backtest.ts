import type { Command } from "commander";
import { count, group, table } from "../terminal.ts";
import { chart } from "./chart.ts";
import { createEvaluator, type MatchLine, type Totals } from "./evaluate.ts";
import { type ListFiles, listsOfStore, withListOption } from "./listFiles.ts";
import { findRule } from "./namedRule.ts";
import { writeOut } from "./output.ts";
import { type HistoryOptions, overHistory, withHistoryOptions } from "./overHistory.ts";
import { type GivenValues, withParamOption } from "./values.ts";

/** Rows of a table that a person reads; a pipe has all of them. */
const SHOWN = 20;

export function backtestCommand(command: Command): void {
  const ofRule = command.argument(
    "<rule>",
    "a live rule's name, a source (.ts), a module (.wasm) or a JSON rule (.json)",
  );
  withListOption(withParamOption(withHistoryOptions(ofRule)), "as it is where rules are kept")
    .addHelpText(
      "after",
      `
Every stored transaction of the period is shown to the rule in the order in which it was stored, by the engine's own code: what
is printed is what the rule would have reported. What the store does not have any more is read from the archive (WEIR_ARCHIVE).
Nothing is stored. Lists are as they are now, or as a file says.

Examples:
  weir rule backtest big-approval.ts --from -24h
  weir rule backtest whale-transfer --param 'threshold=5 ether'
  weir rule backtest whale-transfer --from 2024-06-01 --to 2024-06-02 --json | jq -r .message`,
    )
    .action(async (what: string, options: HistoryOptions & { param?: GivenValues; list?: ListFiles }) => {
      const { rule } = await findRule(what, options.param);
      const evaluator = createEvaluator(rule, await listsOfStore(rule, options.list));
      const asJson = options.json || !process.stdout.isTTY;
      const shown: MatchLine[] = [];
      const alertTimes: number[] = [];
      await overHistory(`backtesting ${rule.name}`, options, async (decoded) => {
        const found = evaluator.evaluate(decoded);
        if (asJson) return writeOut(found.map(({ line }) => `${JSON.stringify(line)}\n`).join(""));
        for (const { line, transaction } of found) {
          if (line.severity !== undefined) alertTimes.push(decoded.events[transaction]!);
          if (shown.length < SHOWN) shown.push(line);
        }
      });
      const totals = evaluator.totals();
      const { transactions, matches, traps, fuel } = totals;
      await writeOut(
        asJson
          ? `${JSON.stringify({ summary: { transactions, matches, traps, fuel } })}\n`
          : `${shown.length > 0 ? table(shown.map(row)) : ""}${describe(totals, shown.length)}${chart(alertTimes)}`,
      );
    });
}

const row = ({ block_number, tx_hash, severity, message, tag, score, failure }: MatchLine) => ({
  block: block_number ?? "pending",
  transaction: tx_hash,
  what: severity ?? failure ?? (tag === undefined ? "score" : "tag"),
  says: message ?? tag ?? score,
});

/** Nothing stored, nothing let through by the filter, and nothing to report are three things. */
function describe({ transactions, evaluations, matches, traps, fuel }: Totals, shown: number): string {
  const more = matches + traps > shown ? `… and ${group(matches + traps - shown)} more: --json has all\n` : "";
  if (transactions === 0) return "no transaction is stored in this period\n";
  if (evaluations === 0)
    return `${count(transactions, "transaction")}, and the rule's filter let none of them through\n`;
  const matched = `${group(matches)} ${matches === 1 ? "match" : "matches"}`;
  return `${more}${count(transactions, "transaction")}: ${group(evaluations)} passed the filter, ${matched}, ${count(traps, "failure")}, fuel ${group(fuel)}\n`;
}
