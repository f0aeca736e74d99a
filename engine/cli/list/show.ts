import { type Command, InvalidArgumentError } from "commander";
import { EXIT } from "../../ops/errors.ts";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { writeOut } from "../rule/output.ts";
import { group } from "../terminal.ts";
import { type ListAnswer, pathOf } from "./answers.ts";

/** Entries of one request. */
const PAGE = 10_000;
const SHOWN = 20;

interface Options extends ApiOptions {
  readonly limit?: number;
  readonly has?: string;
}

export function showListCommand(command: Command): void {
  command
    .argument("<name>", "of the list")
    .option("--limit <entries>", `entries to show (default: ${SHOWN} on a terminal, all in a pipe)`, wholeNumber)
    .option("--has <entry>", "say whether the list has it, and exit with 1 if it has not")
    .addHelpText(
      "after",
      "\nIn a pipe it prints an entry a line, as `weir list put` reads them; with --json a line of JSON each.\n\nExamples:\n  weir list show sanctioned\n  weir list show sanctioned > sanctioned.txt\n  weir list show sanctioned --has 0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
    )
    .action(async (name: string, options: Options) => {
      const api = apiOf(options);
      const ask = async <T>(path: string): Promise<T> => expectSuccess(`show the list "${name}"`, await api.ask(path));
      if (options.has !== undefined) {
        const answer = await ask<{ has: boolean }>(`${pathOf(name)}/entries/${encodeURIComponent(options.has)}`);
        process.stdout.write(asJson(options) ? `${JSON.stringify(answer)}\n` : `${answer.has ? "yes" : "no"}\n`);
        if (!answer.has) process.exitCode = EXIT.refused;
        return;
      }
      const list = await ask<ListAnswer>(pathOf(name));
      const person = !options.json && process.stdout.isTTY;
      if (person) await writeOut(describe(list));
      let left = options.limit ?? (person ? SHOWN : Number.POSITIVE_INFINITY);
      for (let after = ""; left > 0; ) {
        const limit = Math.min(left, PAGE);
        const page = await ask<string[]>(`${pathOf(name)}/entries?limit=${limit}${after && `&after=${after}`}`);
        await writeOut(page.map((entry) => `${options.json ? JSON.stringify({ entry }) : entry}\n`).join(""));
        left -= page.length;
        after = page.at(-1) ?? "";
        if (page.length < limit) return;
      }
      if (person && list.size > (options.limit ?? SHOWN)) await writeOut("… --limit shows more, a pipe gets all\n");
    });
}

const describe = ({ name, kind, size, version, updated_at, rules }: ListAnswer): string =>
  `${name}  ${kind}  ${group(size)} entries  version ${version} of ${updated_at}\nrules: ${rules.join(", ") || "none"}\n`;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Expected a whole number, 1 or more.");
  return value;
}
