import { type Command, InvalidArgumentError } from "commander";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { type LabelAnswer, pathOf } from "./answers.ts";
import { chainId } from "./list.ts";

interface Options extends ApiOptions {
  readonly chain: number;
  readonly symbol?: string;
  readonly decimals?: number;
}

export function setLabelCommand(command: Command): void {
  command
    .argument("<address>", "0x and 40 hexadecimal digits")
    .argument("<name>", "what it is called: at most 64 characters")
    .option("--chain <id>", "of which chain", chainId, 1)
    .option("--symbol <symbol>", "of a token: what stands behind its amounts")
    .option("--decimals <digits>", "of a token: digits of an amount that are behind the point", decimals)
    .addHelpText(
      "after",
      '\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExamples:\n  weir label set 0x28c6c06298d514db089934071355e5743bf21d60 "Hot wallet"\n  weir label set 0x6b175474e89094c44da98b954eedeac495271d0f Dai --symbol DAI --decimals 18',
    )
    .action(async (address: string, name: string, options: Options) => {
      const { chain, symbol, decimals } = options;
      const answer = await apiOf(options).ask(pathOf(chain, address), {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, symbol, decimals }),
      });
      const label = expectSuccess<LabelAnswer>(`label "${address}"`, answer);
      const token = label.symbol === null ? "" : `  ${label.symbol}, ${label.decimals} decimals`;
      process.stdout.write(
        asJson(options) ? `${JSON.stringify(label)}\n` : `${label.address} is ${label.name}${token}\n`,
      );
    });
}

function decimals(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError("Expected a whole number, 0 to 77.");
  return Number(text);
}
