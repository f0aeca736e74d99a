import type { BatchBlock } from "../chain/blocks.ts";
import { createDetector } from "../chain/detect.ts";
import type { ArbitrageFinding, Finding } from "../chain/finding.ts";
import { findingRecord } from "../chain/findingJson.ts";
import type { Registry } from "../chain/registry/registry.ts";
import { bigAt, has, hexAt, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { isoTime } from "./alerts.ts";
import type { Decoded } from "./decode.ts";
import type { FindingCount, OutputTopic } from "./outcome.ts";
import type { TopicRecord } from "./topicRecords.ts";

/** What was found in a block of a batch. */
export interface BlockFindings {
  readonly block: BatchBlock;
  readonly findings: readonly Finding[];
}

/** Finds what happened in the blocks of a batch; those where nothing did are left out. */
export function createDetectStage(registry: Registry): (blocks: readonly BatchBlock[]) => BlockFindings[] {
  const detect = createDetector({ registry });
  return (blocks) =>
    blocks.map((block) => ({ block, findings: detect(block) })).filter(({ findings }) => findings.length > 0);
}

/** As it is counted: `arbitrage` are cycles, which statistics mean; the other definition catches ordinary trades, too. */
export const kindOf = (finding: Finding): string =>
  finding.kind === "arbitrage" && finding.definition === "router" ? "router_arbitrage" : finding.kind;

/** How many there are of each kind and chain, and of how many transactions they are; of a sandwich the first. */
export function countFindings(found: readonly BlockFindings[]): FindingCount[] {
  const counts = new Map<string, Counting>();
  for (const { block, findings } of found) {
    const seen = new Set<string>();
    for (const finding of findings) {
      const { chainId } = block;
      const kind = kindOf(finding);
      const key = `${chainId} ${kind}`;
      let count = counts.get(key);
      if (!count) counts.set(key, (count = { chainId, kind, findings: 0, transactions: 0 }));
      count.findings++;
      if (seen.size < seen.add(`${kind} ${finding.transaction}`).size) count.transactions++;
      if (kind === "arbitrage") addEarned((count.earned ??= { usd: 0, native: 0, senders: new Set() }), block, finding);
    }
  }
  return [...counts.values()].map(({ earned, ...count }) =>
    earned ? { ...count, earned: { ...earned, senders: [...earned.senders] } } : count,
  );
}

interface Counting {
  readonly chainId: number;
  readonly kind: string;
  findings: number;
  transactions: number;
  earned?: { usd: number; native: number; readonly senders: Set<string> };
}

function addEarned(earned: NonNullable<Counting["earned"]>, block: BatchBlock, finding: Finding): void {
  earned.senders.add(hexAt(block, block.frames[finding.transaction]! + OFFSET.from, 20));
  const { profit } = finding as ArbitrageFinding;
  earned.native += Math.max(0, Number(profit?.net ?? 0n));
  earned.usd += Math.max(0, profit?.netUsd ?? 0);
}

const HEADERS = { "content-type": "application/json" };

/**
 * Findings on their topics: the lines of `weir detect` and whose transaction it is, keyed by chain and transaction. Swaps are in the store alone.
 */
export function findingRecords(decoded: Decoded, found: readonly BlockFindings[]): TopicRecord[] {
  return found.flatMap(({ block, findings }) =>
    findings.flatMap((finding) => {
      const topics = TOPICS[kindOf(finding)] ?? [];
      if (topics.length === 0) return [];
      const hash = hexAt(block, block.frames[finding.transaction]! + OFFSET.hash, 32);
      const record = { ...findingRecord(block, finding), ...transactionFields(decoded, block, finding.transaction) };
      const value = Buffer.from(JSON.stringify(record));
      return topics.map((topic) => ({ topic, key: `${block.chainId}:${hash}`, headers: HEADERS, value }));
    }),
  );
}

/** Of the finding's transaction, of several the first: as an alert's record names these. */
function transactionFields(decoded: Decoded, block: BatchBlock, transaction: number) {
  const i = block.numbers[transaction]!;
  const frame = block.frames[transaction]!;
  const ifThere = <T>(bit: number, value: () => T): T | null => (has(block, frame, bit) ? value() : null);
  return {
    block_hash: ifThere(PRESENT.blockHash, () => hexAt(block, frame + OFFSET.blockHash, 32)),
    /** s since 1970: a stranger's number, which may be no date. */
    block_timestamp: ifThere(PRESENT.blockTimestamp, () => u64AsNumber(block, frame + OFFSET.blockTimestamp)),
    from_address: hexAt(block, frame + OFFSET.from, 20),
    to_address: ifThere(PRESENT.to, () => hexAt(block, frame + OFFSET.to, 20)),
    gas_used: ifThere(PRESENT.gasUsed, () => u64AsNumber(block, frame + OFFSET.gasUsed)),
    gas_price: ifThere(PRESENT.effectiveGasPrice, () => `${bigAt(block, frame + OFFSET.effectiveGasPrice, 16)}`),
    event_time: isoTime(Math.floor(decoded.events[i]! / 1_000)),
    source: {
      topic: decoded.source,
      partition: decoded.partition,
      offset: decoded.offsets[i]!,
      n: decoded.indexes[i]!,
    },
  };
}

const TOPICS: Readonly<Record<string, readonly OutputTopic[]>> = {
  arbitrage: ["mev_bundles", "arbitrage-transactions"],
  router_arbitrage: ["arbitrage-transactions"],
  sandwich: ["mev_bundles"],
  liquidation: ["mev_bundles"],
  jit: ["mev_bundles"],
};
