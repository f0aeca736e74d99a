import type { Command } from "commander";
import { record } from "../source/recordCommand.ts";
import { interrupted } from "./interrupt.ts";
import { group } from "./terminal.ts";

interface RecordFlags {
  readonly rpc: string[];
  readonly from?: string;
  readonly to?: string;
  readonly pending?: boolean;
}

export function recordCommand(program: Command): void {
  program
    .command("record")
    .description("write what a node gives as a recording, until Ctrl-C or the last block asked for")
    .argument("<file>", "the recording to write: .ndjson, .ndjson.gz or .ndjson.zst")
    .requiredOption("--rpc <url...>", "the node's RPC, http(s) or ws(s); several are tried in turn")
    .option("--from <block>", "first block (default: the next one)")
    .option("--to <block>", "last block")
    .option("--pending", "also pending transactions, as they are first seen")
    .addHelpText(
      "after",
      "\nExamples:\n  weir record today.ndjson.gz --rpc ws://127.0.0.1:8545 --pending\n  weir record old.ndjson.zst --rpc http://127.0.0.1:8545 --from 100 --to 200",
    )
    .action(async (file: string, { rpc, from, to, pending = false }: RecordFlags) => {
      const counts = await record({
        urls: rpc,
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
