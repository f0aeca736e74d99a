import type { Command } from "commander";
import { readRegistry } from "../chain/registry/readRegistry.ts";
import { createRegistry } from "../chain/registry/registry.ts";
import { migrateControl } from "../control/migrate.ts";
import type { Control } from "../control/open.ts";
import { createCallMeter } from "../ops/callMeter.ts";
import type { Config } from "../ops/config.ts";
import { UsageError } from "../ops/errors.ts";
import { countSent, createMetrics, type Metrics } from "../ops/metrics.ts";
import { blockNumber, chainOf, type NamedChain, nodesOf } from "./chains.ts";
import { loadConfiguration } from "./configuration.ts";
import { createLogFor } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { openControlOnly } from "./store.ts";
import { group } from "./terminal.ts";
import { brokersOf } from "./topics.ts";

interface WatchFlags {
  readonly chain?: string[];
  readonly rpc?: string[];
  readonly from?: string;
  readonly to?: string;
  readonly pending?: boolean;
  readonly metricsPort?: string;
}

export function watchCommand(command: Command): void {
  command
    .option("--chain <name|id...>", "which (default: all that have nodes configured)")
    .option(
      "--rpc <url...>",
      "its nodes, http(s) or ws(s), instead of the configured ones; they stand in for each other",
    )
    .option("--from <block>", "first block, where the chain was not watched before (default: the next one)")
    .option("--to <block>", "last block, then it ends (default: until Ctrl-C)")
    .option(
      "--pending",
      "also pending transactions, as they are first seen; swaps of known routers with what their pools hold",
    )
    .option("--metrics-port <port>", "serve Prometheus metrics on http://127.0.0.1:<port>/metrics")
    .addHelpText(
      "after",
      `
It goes on where it was stopped. Blocks that a chain replaces are said on the topic block_status, and those in their place follow.

Examples:
  ETHEREUM_RPC_URLS=wss://one.example,https://two.example weir watch --chain ethereum --pending
  weir watch --chain 31337 --rpc ws://127.0.0.1:8545 --from 0`,
    )
    .action(async (flags: WatchFlags) => {
      const { config } = loadConfiguration();
      const chains = chainsOf(config, flags);
      const brokers = brokersOf(config);
      const metrics = createMetrics();
      const served = flags.metricsPort === undefined ? undefined : await serve(metrics, flags.metricsPort);
      const control = openControlOnly(config, createCallMeter(metrics));
      const failed = new AbortController();
      const signal = AbortSignal.any([interrupted(), failed.signal]);
      try {
        await migrateControl(control);
        const given = { flags, config, brokers, control, metrics, signal };
        const watching = chains.map((chain) => watchOne(chain, given));
        for (const each of watching) each.catch(() => failed.abort()); // one that cannot go on ends the others, too
        const ended = await Promise.allSettled(watching);
        for (const each of ended)
          if (each.status === "fulfilled") process.stdout.write(`${JSON.stringify(each.value)}\n`);
        await Promise.all(watching);
      } finally {
        await control.close();
        await served?.close();
      }
    });
}

function chainsOf(config: Config, { chain, rpc, from, to }: WatchFlags): NamedChain[] {
  const named = (chain ?? Object.keys(config.nodes.urls)).map(chainOf);
  if (named.length === 0)
    throw new UsageError(
      "Cannot watch: no chain has nodes configured, expected --chain and --rpc, or ETHEREUM_RPC_URLS",
    );
  if (named.length > 1 && (rpc ?? from ?? to) !== undefined)
    throw new UsageError(`Cannot use --rpc, --from or --to for ${named.length} chains: expected one --chain with them`);
  return named;
}

async function serve(metrics: Metrics, port: string) {
  const { serveMetrics } = await import("../ops/metricsServer.ts");
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Infinity;
  if (number > 65_535)
    throw new UsageError(`Cannot use --metrics-port "${port}": expected a port from 0 (any free one) to 65535`);
  const served = await serveMetrics(metrics, number);
  process.stderr.write(`✓ metrics  ${served.url}\n`);
  return served;
}

interface Given {
  readonly flags: WatchFlags;
  readonly config: Config;
  readonly brokers: string;
  readonly control: Control;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

async function watchOne(chain: NamedChain, { flags, config, brokers, control, metrics, signal }: Given) {
  const { watch } = await import("../source/rpc/watch.ts"); // with viem, 0.7 s
  const { createTopicSink } = await import("../source/rpc/topicSink.ts");
  const { createCoverage } = await import("../source/rpc/coverage.ts");
  const { createPoolStore } = await import("../source/rpc/poolStore.ts");
  const { txRaw, blockStatus } = config.kafka.topics;
  const transactionalId = `weir watch ${txRaw} ${chain.id}`;
  const counts = await watch({
    chainId: chain.id,
    chainName: chain.name,
    urls: flags.rpc ?? nodesOf(config, chain),
    fromBlock: flags.from === undefined ? undefined : blockNumber("--from", flags.from),
    toBlock: flags.to === undefined ? undefined : blockNumber("--to", flags.to),
    pending: flags.pending ?? false,
    registry: createRegistry(readRegistry(config.registry)),
    poolStore: createPoolStore(control, chain.id),
    reorgDepth: config.nodes.reorgDepth,
    openSink: () =>
      createTopicSink({ brokers, txRaw, blockStatus, chainId: chain.id, transactionalId, onSent: countSent(metrics) }),
    coverage: createCoverage(control, chain.id, `watch ${txRaw}`),
    metrics,
    log: createLogFor(config),
    signal,
    onProgress({ transactions, pending_sightings, last_block, behind }) {
      if (process.stderr.isTTY)
        process.stderr.write(
          `\r${chain.name}  block ${last_block ?? "-"}   ${group(behind)} behind   ${group(transactions)} mined   ${group(pending_sightings)} pending\x1b[K`,
        );
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  return { chain_id: chain.id, ...counts };
}
