import type { Command } from "commander";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { pathOf } from "./answers.ts";
import { chainId } from "./list.ts";

interface Options extends ApiOptions {
  readonly chain: number;
}

export function removeLabelCommand(command: Command): void {
  command
    .argument("<address>", "0x and 40 hexadecimal digits")
    .option("--chain <id>", "of which chain", chainId, 1)
    .addHelpText(
      "after",
      "\nA bundled label shows again.\n\nExit codes: 0 removed, 1 refused, 4 nobody answers\n\nExample:\n  weir label remove 0x28c6c06298d514db089934071355e5743bf21d60",
    )
    .action(async (address: string, options: Options) => {
      const answer = await apiOf(options).ask(pathOf(options.chain, address), { method: "DELETE" });
      const gone = expectSuccess<{ chain_id: number; address: string; name: string }>(
        `remove the label of "${address}"`,
        answer,
      );
      process.stdout.write(
        asJson(options) ? `${JSON.stringify(gone)}\n` : `${gone.address} is no longer ${gone.name}\n`,
      );
    });
}
