import type { Command } from "commander";
import { migrateControl } from "../control/migrate.ts";
import type { Config } from "../ops/config.ts";
import { Interrupted, UsageError } from "../ops/errors.ts";
import { createMetrics } from "../ops/metrics.ts";
import type { BackfillOptions } from "../source/rpc/backfill.ts";
import { createPace } from "../source/rpc/pace.ts";
import { blockNumber, chainOf, type NamedChain, nodesOf, wholeNumber } from "./chains.ts";
import { loadConfiguration } from "./configuration.ts";
import { createLogFor } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { openControlOnly } from "./store.ts";
import { createProgress } from "./terminal.ts";
import { brokersOf } from "./topics.ts";

interface BackfillFlags {
  readonly chain: string;
  readonly from: string;
  readonly to: string;
  readonly rpc?: string[];
  readonly rate: string;
  readonly ahead: string;
}

export function backfillCommand(command: Command): void {
  command
    .argument(
      "[file]",
      "a recording: .ndjson, .ndjson.gz or .ndjson.zst (default: onto the topic that the engine reads)",
    )
    .requiredOption("--chain <name|id>", "which")
    .requiredOption("--from <block>", "first block")
    .requiredOption("--to <block>", "last block")
    .option(
      "--rpc <url...>",
      "its nodes, http(s) or ws(s), instead of the configured ones; they stand in for each other",
    )
    .option("--rate <n>", "calls a second at most, all nodes together", "50")
    .option("--ahead <n>", "blocks that are read at a time", "8")
    .addHelpText(
      "after",
      `
Each block is verified. Run the same command again after it was stopped, and it goes on where it was.

Examples:
  weir backfill history.ndjson.zst --chain ethereum --from 17000000 --to 17001000 --rpc https://one.example
  ETHEREUM_RPC_URLS=https://one.example,https://two.example weir backfill --chain 1 --from 17000000 --to 17001000 --rate 20`,
    )
    .action(async (file: string | undefined, flags: BackfillFlags) => {
      const { config } = loadConfiguration();
      const chain = chainOf(flags.chain);
      const signal = interrupted();
      const bar = createProgress(`backfilling ${chain.name}`, "blocks");
      const options = {
        chainId: chain.id,
        urls: flags.rpc ?? nodesOf(config, chain),
        fromBlock: blockNumber("--from", flags.from),
        toBlock: blockNumber("--to", flags.to),
        ahead: wholeNumber("--ahead", flags.ahead, 64),
        pace: createPace({ perSecond: rateOf(flags.rate), now: () => performance.now() }),
        reorgDepth: config.nodes.reorgDepth,
        signal,
      };
      const range = { chain_id: chain.id, from_block: options.fromBlock, to_block: options.toBlock };
      const total = options.toBlock - options.fromBlock + 1;
      const onProgress = (done: number): void => bar.update(done, total);
      const counts = await (file === undefined
        ? ontoTopic(config, chain, options, onProgress)
        : intoFile({ ...options, out: file, onProgress })
      ).finally(bar.end);
      process.stdout.write(`${JSON.stringify({ ...range, ...counts })}\n`);
      if (signal.aborted)
        throw new Interrupted("Stopped before the last block", {
          next: "Run the same command again: it goes on where it was",
        });
    });
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 100_000) return rate;
  throw new UsageError(`Cannot use --rate "${text}": expected calls a second, above 0 and at most 100000`);
}

async function intoFile(options: BackfillOptions) {
  const { backfill } = await import("../source/rpc/backfill.ts"); // with viem, 0.7 s
  return backfill(options);
}

async function ontoTopic(
  config: Config,
  chain: NamedChain,
  options: Omit<BackfillOptions, "out"> & { signal: AbortSignal },
  onBlock: (done: number) => void,
) {
  const { watch } = await import("../source/rpc/watch.ts");
  const { createTopicSink } = await import("../source/rpc/topicSink.ts");
  const { createCoverage } = await import("../source/rpc/coverage.ts");
  const brokers = brokersOf(config);
  const { txRaw, blockStatus } = config.kafka.topics;
  const source = `backfill ${txRaw} ${options.fromBlock}-${options.toBlock}`;
  const control = openControlOnly(config);
  try {
    await migrateControl(control);
    const { blocks, transactions } = await watch({
      ...options,
      chainName: chain.name,
      openSink: () =>
        createTopicSink({
          brokers,
          txRaw,
          blockStatus,
          chainId: chain.id,
          transactionalId: `weir ${source} ${chain.id}`,
        }),
      coverage: createCoverage(control, chain.id, source),
      metrics: createMetrics({ defaults: false }),
      log: createLogFor(config),
      onProgress: ({ last_block }) => last_block !== null && onBlock(last_block - options.fromBlock + 1),
    });
    return { blocks, transactions };
  } finally {
    await control.close();
  }
}
