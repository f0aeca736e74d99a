import type { BlockView } from "./blockView.ts";
import type { ArbitrageFinding, Finding, SandwichFinding } from "./finding.ts";
import { findAttempts } from "./mev/attempts.ts";
import { findCycles } from "./mev/cycles.ts";
import { findJit } from "./mev/jit.ts";
import { findLiquidations } from "./mev/liquidations.ts";
import { pricesOf } from "./mev/prices.ts";
import { profitOf } from "./mev/profit.ts";
import { findRouterArbitrages } from "./mev/routerArbitrages.ts";
import { findSandwiches } from "./mev/sandwiches.ts";
import type { Registry } from "./registry/registry.ts";
import type { PoolTokens } from "./resolve.ts";
import type { Address } from "./swap.ts";
import { createSwapFinder } from "./swaps.ts";

export interface DetectorOptions {
  readonly registry: Registry;
  /** Tokens of pools, by the pool's address or id; default: what the block's last record says. */
  readonly pools?: ReadonlyMap<Address, PoolTokens>;
  /** Accounts that search, beside those that a block shows. */
  readonly searchers?: ReadonlySet<Address>;
}

/** What happened in a block, ordered by transaction and log. The same view gives the same findings; nothing is kept from one to the next. */
export type Detector = (view: BlockView) => Finding[];

/** @example createDetector({ registry: builtInRegistry })(view) // [{ kind: "swap", … }, { kind: "arbitrage", … }] */
export function createDetector({ registry, pools, searchers = new Set() }: DetectorOptions): Detector {
  const findSwaps = createSwapFinder({ registry, ...(pools && { pools }) });
  return (view) => {
    if (view.blockNumber === undefined) return [];
    const chain = registry.chains.get(view.chainId);
    const wrapped = chain?.wrapped;
    const isRouter = (address: Address): boolean => chain?.routers.has(address) ?? false;
    const swaps = findSwaps(view);
    const { arbitrages, sandwiches } = judgeTogether(
      findCycles(swaps, { wrapped, isRouter }),
      findSandwiches(view, swaps, { isRouter }),
    );
    const routerTrades = chain
      ? findRouterArbitrages(view, swaps, { routers: chain.routers, methods: registry.methods })
      : [];
    const earning = [...arbitrages, ...routerTrades, ...sandwiches];
    const context = earning.length === 0 ? undefined : { view, prices: pricesOf(swaps, chain), wrapped };
    const findings: Finding[] = [
      ...swaps.map((swap) => ({ kind: "swap" as const, ...swap })),
      ...earning.map((finding) => {
        const profit = profitOf(finding, context!);
        return profit ? { ...finding, profit } : finding;
      }),
      ...findLiquidations(view, wrapped),
      ...findJit(view, swaps),
      ...findAttempts(view, searchersOf(arbitrages, sandwiches, searchers)),
    ];
    return findings.sort(
      (a, b) =>
        a.transaction - b.transaction || a.logIndex - b.logIndex || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    );
  };
}

/** In the order in which findings of one log are told. */
export const KINDS: readonly Finding["kind"][] = ["swap", "arbitrage", "sandwich", "liquidation", "jit", "attempt"];

/**
 * A sandwich's leg may look like an arbitrage, as in block 16146267 of Ethereum: what was bought in the victims' pool is sold in another
 * one. Then its profit or loss is the sandwich's, unless frontrun and backrun each pay for themselves: two arbitrages around somebody's
 * swap, and no sandwich.
 */
function judgeTogether(arbitrages: readonly ArbitrageFinding[], sandwiches: readonly SandwichFinding[]) {
  const byLog = new Map<number, ArbitrageFinding[]>();
  for (const arbitrage of arbitrages)
    for (const log of arbitrage.evidence) byLog.set(log, [...(byLog.get(log) ?? []), arbitrage]);
  const legs = new Set<ArbitrageFinding>();
  const judged = sandwiches.map((sandwich): SandwichFinding => {
    const cycles = sandwich.evidence.flatMap((log) => byLog.get(log) ?? []);
    const front = cycles.filter(({ transaction }) => sandwich.frontruns.includes(transaction));
    const back = cycles.filter(({ transaction }) => sandwich.backruns.includes(transaction));
    if (front.some(pays) && back.some(pays))
      return { ...sandwich, confidence: "low", reason: `${sandwich.reason}; but both legs are arbitrages that pay` };
    for (const arbitrage of [...front, ...back]) legs.add(arbitrage);
    return sandwich;
  });
  return {
    sandwiches: judged,
    arbitrages: arbitrages.map((arbitrage) =>
      legs.has(arbitrage)
        ? { ...arbitrage, confidence: "low" as const, reason: `${arbitrage.reason}; it is a leg of a sandwich` }
        : arbitrage,
    ),
  };
}

const pays = ({ profitAmount }: ArbitrageFinding): boolean => (profitAmount ?? 0n) > 0n;

function searchersOf(
  arbitrages: readonly ArbitrageFinding[],
  sandwiches: readonly SandwichFinding[],
  known: ReadonlySet<Address>,
): Map<Address, string> {
  const searchers = new Map<Address, string>();
  for (const account of known) searchers.set(account, "is known to search");
  for (const { account, confidence } of arbitrages)
    if (confidence !== "low") searchers.set(account, "made an arbitrage in this block");
  for (const { sandwicher, confidence } of sandwiches)
    if (confidence !== "low") searchers.set(sandwicher, "made a sandwich in this block");
  return searchers;
}
