import type { BatchBlock } from "../chain/blocks.ts";
import type { ArbitrageFinding, SwapFinding } from "../chain/finding.ts";
import { isSmallOpportunity } from "../chain/opportunity/imbalance.ts";
import { readBlockMarket } from "../chain/opportunity/market.ts";
import type { Opportunity } from "../chain/opportunity/opportunity.ts";
import { decimalsOf } from "../chain/opportunity/opportunity.ts";
import { findPendingOpportunities } from "../chain/opportunity/pendingOpportunities.ts";
import { findPoolImbalances } from "../chain/opportunity/poolImbalances.ts";
import type { Registry } from "../chain/registry/registry.ts";
import type { Address } from "../chain/swap.ts";
import { isPending, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import type { Decoded } from "./decode.ts";
import type { BlockFindings } from "./findings.ts";
import type { FindingCount } from "./outcome.ts";

/** An opportunity of a batch. */
export interface FoundOpportunity {
  /** Number of the transaction in the batch. */
  readonly number: number;
  readonly chainId: number;
  readonly status: "pending" | "confirmed" | "provisional";
  readonly opportunity: Opportunity;
  /** Decimals of a token, where they are known. */
  readonly decimals: (token: Address) => number | undefined;
}

/** An arbitrage that paid went through a pool: what was open there is taken. */
export interface Capture {
  /** Number of the transaction in the batch. */
  readonly number: number;
  readonly block: BlockFindings["block"];
  readonly transaction: number;
  readonly logIndex: number;
  readonly pool: Address;
  readonly account: Address;
}

export interface FoundOpportunities {
  readonly opportunities: readonly FoundOpportunity[];
  readonly captures: readonly Capture[];
}

export const NO_OPPORTUNITIES: FoundOpportunities = { opportunities: [], captures: [] };

/** What could be earned by a batch's blocks and pending transactions, in the order in which they stand there, and what was. */
export function createOpportunityStage(registry: Registry) {
  return (decoded: Decoded, blocks: readonly BatchBlock[], found: readonly BlockFindings[]): FoundOpportunities => {
    const { bytes, words, count, frames } = decoded;
    const opportunities: FoundOpportunity[] = [];
    const findingsOf = new Map(found.map(({ block, findings }) => [block, findings]));
    for (const block of blocks) {
      const chain = registry.chains.get(block.chainId);
      const market = chain && readBlockMarket(block, chain);
      const findings = findingsOf.get(block) ?? [];
      if (findings.length === 0 && !market) continue;
      const swaps = findings.filter((finding): finding is SwapFinding => finding.kind === "swap");
      for (const opportunity of findPoolImbalances(block, swaps, chain, market?.venues))
        opportunities.push({
          ...{ number: block.numbers[opportunity.transaction]!, chainId: block.chainId, opportunity },
          status: block.complete ? "confirmed" : "provisional",
          decimals: market?.decimalsOf ?? ((token) => decimalsOf(chain, token)),
        });
    }
    const all = { bytes, u32: words };
    for (let number = 0; number < count; number++) {
      const frame = frames[number]!;
      if (!isPending(words, frame)) continue;
      const chainId = u64AsNumber(all, frame + OFFSET.chainId);
      for (const opportunity of findPendingOpportunities(all, frame, registry.chains.get(chainId)))
        opportunities.push({ number, chainId, status: "pending", opportunity, decimals: opportunity.decimals });
    }
    return { opportunities, captures: found.flatMap(capturesOf) };
  };
}

/** One a transaction and pool, however many arbitrages it makes there. */
function capturesOf({ block, findings }: BlockFindings): Capture[] {
  const captures = new Map<string, Capture>();
  for (const finding of findings) {
    if (finding.kind !== "arbitrage" || !captured(finding)) continue;
    const { transaction, logIndex, account } = finding;
    for (const { pool, after } of finding.route) {
      const key = `${transaction} ${pool}`;
      // Of pools that opportunities are found in: with reserves, or a price and its liquidity, and a contract of their own.
      if (!after || !("reserve0" in after || "liquidity" in after) || pool.length !== 42 || captures.has(key)) continue;
      captures.set(key, { number: block.numbers[transaction]!, block, transaction, logIndex, pool, account });
    }
  }
  return [...captures.values()];
}

const captured = ({ definition, profitAmount }: ArbitrageFinding): boolean =>
  definition === "cycle" && (profitAmount ?? 0n) > 0n;

interface Counting {
  readonly chainId: number;
  readonly kind: string;
  findings: number;
  transactions: number;
  readonly valued: { known: number; small: number };
}

/** How many there are of each kind and chain, and of how many transactions they are. */
export function countOpportunities({ opportunities }: FoundOpportunities): FindingCount[] {
  const counts = new Map<string, Counting>();
  let last: FoundOpportunity | undefined;
  for (const one of opportunities) {
    const { chainId, number, opportunity } = one;
    const key = `${chainId} ${opportunity.kind}`;
    const count = counts.get(key) ?? {
      ...{ chainId, kind: opportunity.kind, findings: 0, transactions: 0 },
      valued: { known: 0, small: 0 },
    };
    counts.set(key, count);
    count.findings++;
    if (last?.number !== number) count.transactions++;
    const usd = opportunity.trade?.netUsd ?? null;
    if (usd !== null) count.valued.known++;
    if (usd !== null && isSmallOpportunity(usd)) count.valued.small++;
    last = one;
  }
  return [...counts.values()];
}
