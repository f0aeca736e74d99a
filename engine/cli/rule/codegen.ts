import { readFile, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { UserError } from "../../ops/errors.ts";

const MAX_ABI_BYTES = 8 * 1024 * 1024;

export function codegenCommand(command: Command): void {
  command
    .argument("<abi.json>", "an ABI, or an artifact with one in it")
    .option("-o, --out <file.ts>", "where the readers go (default: stdout)")
    .option("--json", "with --out: a JSON line with what was made")
    .addHelpText(
      "after",
      `
Each event Swap becomes a class with Swap.matches(log) and Swap.decode(log), each function swap one with SwapCall.matches(tx)
and SwapCall.decode(tx); arguments are typed getters. Filters: filter.topic(Swap.TOPIC), filter.selector(SwapCall.SELECTOR).

Example:
  weir rule codegen UniswapV2Pair.json -o pair.ts     # in the rule: import { Swap } from "./pair";`,
    )
    .action(async (file: string, { out, json = false }: { out?: string; json?: boolean }) => {
      const { generateReaders } = await import("../../../rules-as/cli/codegen.ts");
      const { source, events, calls, leftOut } = generateReaders(await readAbi(file), basename(file));
      for (const what of leftOut) process.stderr.write(`left out: ${what}\n`);
      if (out === undefined) return void process.stdout.write(source);
      await writeFile(out, source).catch((error: Error) => {
        throw new UserError(`Cannot write "${out}": ${error.message}`);
      });
      process.stdout.write(
        json
          ? `${JSON.stringify({ file: out, events, calls, left_out: leftOut })}\n`
          : `${out}\n  events  ${events.join(", ") || "none"}\n  calls   ${calls.join(", ") || "none"}\n`,
      );
    });
}

async function readAbi(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_ABI_BYTES) return await readFile(file, "utf8");
    throw new Error(`${size} bytes, expected at most ${MAX_ABI_BYTES}`);
  } catch (error) {
    throw new UserError(`Cannot read "${file}": ${(error as Error).message}`);
  }
}
