import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { UsageError, UserError } from "../../ops/errors.ts";
import { buildModule } from "./loadRule.ts";

export function buildCommand(command: Command): void {
  command
    .argument("<file.ts>", "the rule's source")
    .option("-o, --out <file.wasm>", "where the module goes (default: beside the source)")
    .option("--json", "one line of JSON")
    .addHelpText("after", "\nExample:\n  weir rule build big-approval.ts && weir rule check big-approval.wasm")
    .action(
      async (
        file: string,
        { out = file.replace(/\.ts$/, ".wasm"), json = false }: { out?: string; json?: boolean },
      ) => {
        if (!file.endsWith(".ts")) throw new UsageError(`Cannot build "${file}": expected a file that ends in .ts`);
        const wasm = await buildModule(file);
        await writeFile(out, wasm).catch((error: Error) => {
          throw new UserError(`Cannot write "${out}": ${error.message}`);
        });
        process.stdout.write(
          json ? `${JSON.stringify({ file: out, bytes: wasm.length })}\n` : `${out}  ${wasm.length} bytes\n`,
        );
      },
    );
}
