import type { Command } from "commander";
import { readRegistry } from "../chain/registry/readRegistry.ts";
import { createRegistry } from "../chain/registry/registry.ts";
import { loadConfiguration } from "./configuration.ts";
import { interrupted } from "./interrupt.ts";
import { group } from "./terminal.ts";

interface RecordFlags {
  readonly rpc: string[];
  readonly from?: string;
  readonly to?: string;
  readonly pending?: boolean;
}

export function recordCommand(command: Command): void {
  command
    .argument("<file>", "the recording to write: .ndjson, .ndjson.gz or .ndjson.zst")
    .requiredOption("--rpc <url...>", "the node's RPC, http(s) or ws(s); several are tried in turn")
    .option("--from <block>", "first block (default: the next one)")
    .option("--to <block>", "last block")
    .option(
      "--pending",
      "also pending transactions, as they are first seen; swaps of known routers with what their pools hold",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  weir record today.ndjson.gz --rpc ws://127.0.0.1:8545 --pending\n  weir record old.ndjson.zst --rpc http://127.0.0.1:8545 --from 100 --to 200",
    )
    .action(async (file: string, { rpc, from, to, pending = false }: RecordFlags) => {
      const { record } = await import("../source/recordCommand.ts"); // with viem, 0.7 s
      const counts = await record({
        urls: rpc,
        registry: createRegistry(readRegistry(loadConfiguration().config.registry)),
        out: file,
        pending,
        signal: interrupted(),
        ...(from === undefined ? {} : { fromBlock: Number(from) }),
        ...(to === undefined ? {} : { toBlock: Number(to) }),
        onProgress({ transactions, pendingSightings, block }) {
          if (process.stderr.isTTY)
            process.stderr.write(
              `\rblock ${block ?? "-"}   ${group(transactions)} mined   ${group(pendingSightings)} pending\x1b[K`,
            );
        },
      });
      if (process.stderr.isTTY) process.stderr.write("\n");
      process.stdout.write(`${JSON.stringify(counts)}\n`);
    });
}
