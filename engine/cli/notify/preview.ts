import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../ops/errors.ts";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";

interface Options extends ApiOptions {
  readonly title?: string;
  readonly kind?: string;
  readonly count?: number;
}

export function previewCommand(command: Command): void {
  command
    .argument("[file]", "template of the text, in Liquid (default: the one of channels that have none)")
    .option("--title <template>", "of the title")
    .option("--kind <kind>", "of the message: alert, digest, retraction, escalation, trouble or test")
    .option("--count <number>", "alerts in it", wholeNumber)
    .addHelpText("after", "\nExit codes: 0 shown, 1 refused, 4 nobody answers\n\nExample:\n  weir notify preview text.liquid --kind digest --count 3")
    .action(async (file: string | undefined, options: Options) => {
      const { title, kind, count } = options;
      const text = file === undefined ? undefined : await readTemplate(file);
      const answer = await apiOf(options).ask("/api/v1/notifications/preview", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text, title, kind, count }),
      });
      const shown = expectSuccess<{ title: string; text: string }>("preview the message", answer);
      process.stdout.write(asJson(options) ? `${JSON.stringify(shown)}\n` : `${shown.title}\n\n${shown.text}\n`);
    });
} // biome-ignore format: one command

const readTemplate = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((error: Error) => {
    throw new UserError(`Cannot read "${file}": ${error.message}`);
  });

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}
