import type { Command } from "commander";
import { followProcessor } from "../extensions/followProcessor.ts";
import { loadExtensions } from "../extensions/load.ts";
import { ConfigError } from "../ops/config.ts";
import { createMetrics } from "../ops/metrics.ts";
import { loadConfiguration } from "./configuration.ts";
import { createLogFor } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { printRows } from "./terminal.ts";
import { brokersOf } from "./topics.ts";

export function processCommand(command: Command): void {
  command
    .option("--list", "the processors that there are")
    .option("--json", "with --list: JSON lines, also on a terminal")
    .addHelpText(
      "after",
      `
Processors are modules that WEIR_EXTENSIONS names (engine/extensions/README.md). They run in this process, beside engines and not in them: whatever one
does, the stream goes on. Several of these processes share the partitions of each topic.

Example:
  WEIR_EXTENSIONS=engine/extensions/examples/large-arbitrages.mjs weir process`,
    )
    .action(async ({ list = false, json = false }: { list?: boolean; json?: boolean }) => {
      const { config } = loadConfiguration();
      const { processors } = await loadExtensions(config);
      if (list) return printRows(processors.map(({ name, reads }) => ({ name, reads })), { json }); // biome-ignore format: one line
      if (processors.length === 0)
        throw new ConfigError([
          { variable: "WEIR_EXTENSIONS", problem: "it names no processor", expected: "the path of a module that exports one" },
        ]); // biome-ignore format: one problem
      brokersOf(config);
      const [log, metrics] = [createLogFor(config), createMetrics()];
      const [signal, ended] = [interrupted(), new AbortController()];
      const names = processors.map(({ name, reads }) => `${name} (${reads})`).join(", ");
      process.stderr.write(`processing: ${names}. Ctrl-C stops; nothing is lost\n`);
      await Promise.all(
        processors.map(
          (processor) =>
          followProcessor({ config, log, metrics, processor, signal: AbortSignal.any([signal, ended.signal]) }).finally(() => ended.abort()), // biome-ignore format: one line
        ),
      );
    });
}
