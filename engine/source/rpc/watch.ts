import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, exitCodeOf, messageOf } from "../../ops/errors.ts";
import type { Log } from "../../ops/log.ts";
import type { Metrics } from "../../ops/metrics.ts";
import { backoffMs } from "./backoff.ts";
import { createChainLines } from "./chainLines.ts";
import type { Coverage } from "./coverage.ts";
import type { RpcMeters } from "./endpoints.ts";
import { type Chain, type ChainEvent, type ChainOptions, openChain } from "./follow.ts";
import { createPoolScanLog } from "./poolScanLog.ts";
import { catchUp } from "./statusTail.ts";
import type { TopicSink } from "./topicSink.ts";
import { LyingNode } from "./verifyBlock.ts";

export interface WatchOptions extends Omit<ChainOptions, "known" | "meters"> {
  readonly chainId: number;
  /** As people know the chain, and as its metrics are labelled. */
  readonly chainName: string;
  readonly openSink: () => Promise<TopicSink>;
  readonly coverage: Coverage;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onProgress?: (counts: WatchCounts & { behind: number }) => void;
}

export interface WatchCounts {
  /** Mined ones that were put on the topic. */
  transactions: number;
  blocks: number;
  pending_sightings: number;
  /** Blocks that were put and then replaced. */
  replaced: number;
  /** Number of the last block; null: none yet. */
  last_block: number | null;
}

/**
 * Follows a chain and puts it onto topics, until `toBlock` or the signal. What may pass, nodes, brokers or control store that are away,
 * is waited for; then it goes on behind the last block that coverage has.
 *
 * Each block is one Kafka transaction, and coverage moves after it: killed in between, the next run finds the block on the topic.
 *
 * @throws UserError for a wrong URL, range, or a reorganisation that is too deep; KafkaError `fenced` when the chain is watched elsewhere
 */
export async function watch(options: WatchOptions): Promise<WatchCounts> {
  const { signal, log, chainName, fromBlock, onProgress } = options;
  const counts: WatchCounts = { transactions: 0, blocks: 0, pending_sightings: 0, replaced: 0, last_block: null };
  const linesOf = createChainLines(options.chainId);
  const venues = options.registry?.chains.get(options.chainId);
  const poolLog = venues && createPoolScanLog(log, chainName, venues);
  let failures = 0;
  /** Events of the monitor before, as it called them. */
  const say = (event: string, message: string, facts: object = {}): void =>
    log.debug({ event, chain: chainName, ...facts }, message);

  async function run(): Promise<void> {
    const sink = await options.openSink();
    try {
      const known = await catchUp(options.coverage, await sink.tail(), fromBlock);
      if (options.toBlock !== undefined && known.at(-1) && known.at(-1)!.number >= options.toBlock) return;
      const meters = metersOf(options.metrics, chainName);
      const chain = await openChain({ ...options, meters, known, fromBlock: known.length > 0 ? undefined : fromBlock });
      try {
        say("chain_monitor_loop_started", "Following the chain");
        for await (const event of chain.events()) {
          await put(event, chain, sink);
          failures = 0;
          options.metrics.chainBlocksBehind.set({ chain: chainName }, chain.behind());
          onProgress?.({ ...counts, behind: chain.behind() });
        }
      } finally {
        await chain.close();
      }
    } finally {
      await sink.close();
    }
  }

  async function put(event: ChainEvent, chain: Chain, sink: TopicSink): Promise<void> {
    const { coverage, metrics } = options;
    const labels = { chain: chainName };
    const lines = linesOf(event);
    if (event.kind === "pending") {
      await sink.pending(lines);
      counts.pending_sightings += lines.length;
      metrics.chainPending.inc(labels, lines.length);
      metrics.chainPendingMissed.set(labels, chain.missedPending());
      metrics.chainMarketsMissed.set(labels, chain.missedMarkets());
      await coverage.stillPending(Date.now());
    } else if (event.kind === "block") {
      if (counts.last_block === null) say("chain_monitor_initialized", "The first block", { block: event.number });
      say("new_blocks_detected", "There are new blocks", { from: event.number, behind: chain.behind() });
      say("processing_block", "A block goes onto the topic", { block: event.number, transactions: lines.length });
      await sink.block(event, lines);
      await coverage.block(event, chain.blocks(), chain.endpoints.newest());
      await coverage.stillPending(Date.now());
      counts.transactions += lines.length;
      counts.blocks++;
      counts.last_block = event.number;
      if (event.scanned) poolLog?.scanned(event.number, event.scanned);
      say("block_processed", "It is there", { block: event.number, block_hash: event.hash, proof: event.proof });
      metrics.chainBlocks.inc({ ...labels, proof: event.proof });
    } else if (event.kind === "reorg") {
      await sink.reorg(event.replaced);
      const from = event.replaced[0]!.number;
      await coverage.replaced(from, chain.blocks());
      counts.replaced += event.replaced.length;
      metrics.chainReplaced.inc(labels, event.replaced.length);
      log.warn({ event: "chain_reorg", chain: chainName, from, depth: event.replaced.length }, "Blocks were replaced");
    } else {
      await coverage.pending(event);
      const { healthy, node, via, reason } = event;
      if (healthy) log.info({ event: "pending_source", chain: chainName, node, via }, "Pending transactions are seen");
      else
        log.warn({ event: "pending_source_lost", chain: chainName, node, reason }, "No pending transactions are seen");
    }
  }

  log.info({ event: "chain_monitor_started", chain: chainName, from: fromBlock ?? null }, "Watching a chain");
  while (!signal.aborted) {
    try {
      await run();
      break;
    } catch (error) {
      if (signal.aborted) break;
      if (!mayPass(error)) throw error;
      const seconds = backoffMs(failures++, Math.random(), { firstMs: 1_000, mostMs: 60_000 }) / 1000;
      const reason = messageOf(error);
      log.error(
        { event: "chain_monitor_loop_error", chain: chainName, reason, seconds },
        "Cannot follow the chain; trying again",
      );
      await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined); // aborted: the loop's head ends it
    }
  }
  if (signal.aborted) say("chain_monitor_loop_cancelled", "Somebody stopped it");
  poolLog?.stopped();
  say("chain_monitor_loop_exited", "The chain is not followed any more");
  log.info({ event: "chain_monitor_stopped", chain: chainName, ...counts }, "Not watching the chain any more");
  return counts;
}

/** A service is away, or the Kafka client has to be made anew. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof LyingNode && error.lie === "chain_id") && // all of them: a mistake of the configuration
  (exitCodeOf(error) === EXIT.unreachable || ["fatal", "abort"].includes((error as { kind?: string }).kind ?? ""));

function metersOf({ chainRpcLatency, chainRpcErrors }: Metrics, chain: string): RpcMeters {
  return {
    latency: (endpoint, method, seconds) => chainRpcLatency.observe({ chain, endpoint, method }, seconds),
    error: (error_type) => chainRpcErrors.inc({ chain, error_type }),
  };
}
