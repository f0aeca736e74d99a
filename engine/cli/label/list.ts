import { type Command, InvalidArgumentError } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";
import type { LabelAnswer } from "./answers.ts";

interface Options extends ApiOptions {
  readonly chain?: number;
  readonly find?: string;
}

/** Of one request. */
const PAGE = 1_000;

export function listLabelsCommand(command: Command): void {
  command
    .option("--chain <id>", "of this chain only", chainId)
    .option("--find <text>", "whose name or symbol has this in it")
    .addHelpText("after", "\nExamples:\n  weir label list\n  weir label list --chain 1 --find uniswap")
    .action(async (options: Options) => {
      const api = apiOf(options);
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (options.chain !== undefined) query.set("chain_id", String(options.chain));
      if (options.find !== undefined) query.set("q", options.find);
      for (let offset = 0; ; offset += PAGE) {
        query.set("offset", String(offset));
        const page = expectSuccess<LabelAnswer[]>("list labels", await api.ask(`/api/v1/labels?${query}`));
        printRows(
          page.map(({ chain_id, address, name, symbol, decimals, source }) => ({
            ...{ chain_id, address, name, symbol, decimals, source },
          })),
          { json: options.json ?? false },
        );
        if (page.length < PAGE) return;
      }
    });
}

/** A chain's id, of an option. */
export function chainId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected a chain's id: a whole number.");
  return Number(text);
}
