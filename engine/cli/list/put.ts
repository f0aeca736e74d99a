import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { LIST_KINDS } from "../../condition/listKinds.ts";
import { UserError } from "../../ops/errors.ts";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { type ListChangeAnswer, pathOf, printChange } from "./answers.ts";

interface Options extends ApiOptions {
  readonly kind?: string;
}

export function putListCommand(command: Command): void {
  command
    .argument("<name>", "of the list: a-z 0-9 - _")
    .argument("<file>", "text, an entry a line; what follows a # is a note; - reads standard input")
    .addOption(new Option("--kind <kind>", "of a new list (default: address)").choices([...LIST_KINDS]))
    .addHelpText(
      "after",
      "\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExamples:\n  weir list put sanctioned sanctioned.txt\n  weir list put approvals selectors.txt --kind selector\n  curl -s https://example.com/list.txt | weir list put sanctioned -",
    )
    .action(async (name: string, file: string, options: Options) => {
      const body = file === "-" ? await standardInput() : await readListFile(file);
      const query = options.kind === undefined ? "" : `?kind=${options.kind}`;
      const answer = await apiOf(options).ask(`${pathOf(name)}${query}`, {
        method: "PUT",
        headers: { "content-type": "text/plain" },
        body,
      });
      printChange(expectSuccess<ListChangeAnswer>(`put the list "${name}"`, answer), options);
    });
}

function readListFile(file: string): Promise<Buffer<ArrayBuffer>> {
  return readFile(file).catch((error: Error) => {
    throw new UserError(`Cannot read "${file}": ${error.message}`);
  });
}

async function standardInput(): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
