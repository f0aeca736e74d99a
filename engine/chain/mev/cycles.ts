/**
 * Arbitrage, definition `cycle`: two or more swaps of one transaction that form a closed route of one account.
 *
 *     account ──start──▶ A/B ──▶ B/C ──▶ C/A ──end──▶ account       from pool to pool, or back to the account after each
 *
 * - It closes: the first swap's token in is the last one's token out (the native coin and its wrapped form are one token), and who
 *   pays the first is who is paid by the last. That account is no pool of the route. The first and the last pool differ.
 * - It is linked: each swap puts in the token that the one before gave out, as much of it (TOLERANCE), and takes it from that pool,
 *   or from whoever that pool paid, or was paid directly.
 * - The shortest route wins, and no swap is in two. Logs of flash swaps come in reverse, so order does not matter.
 * - A circle may be cut open anywhere: the profit is where more comes back than went in, so that is where it starts.
 */
import type { ArbitrageFinding } from "../finding.ts";
import { type Address, type Confidence, NATIVE, type Swap } from "../swap.ts";

/** Linked amounts differ by less than 1 % of their mean: taxed tokens, and searchers who leave dust. */
const TOLERANCE = 200n; // 2·|a − b| / (a + b) < 1/100
/**
 * A transaction with more swaps is not searched: the search takes time with the square of them, and at 60,000 gas a swap these are
 * more than 30 million gas, a whole block of Ethereum: no searcher, but a flood of invented logs.
 */
export const MAX_SWAPS = 512;

export interface CycleOptions {
  /** The chain's wrapped native coin. */
  readonly wrapped?: Address | undefined;
  /** Contracts that swap on behalf of strangers: what they do in one transaction may be for several. */
  readonly isRouter?: (address: Address) => boolean;
}

/** @param swaps of a block, ordered by transaction and log */
export function findCycles(swaps: readonly Swap[], { wrapped, isRouter = () => false }: CycleOptions = {}) {
  const findings: ArbitrageFinding[] = [];
  for (let from = 0; from < swaps.length; ) {
    let to = from + 1;
    while (to < swaps.length && swaps[to]!.transaction === swaps[from]!.transaction) to++;
    if (to - from > 1 && to - from <= MAX_SWAPS) {
      for (const route of routesOf(swaps.slice(from, to), wrapped)) findings.push(judge(route, isRouter));
    }
    from = to;
  }
  return findings;
}

function routesOf(swaps: readonly Swap[], wrapped: Address | undefined): Swap[][] {
  const graph = createGraph(swaps, wrapped);
  const free = new Set(swaps.keys());
  const candidates: { start: number; length: number }[] = [];
  for (const start of swaps.keys()) {
    const route = graph.shortest(start, free);
    if (route) candidates.push({ start, length: route.length });
  }
  candidates.sort((a, b) => a.length - b.length || a.start - b.start);
  const routes: Swap[][] = [];
  for (const { start } of candidates) {
    const route = free.has(start) ? graph.shortest(start, free) : undefined;
    if (!route) continue;
    for (const swap of route) free.delete(swap);
    routes.push(graph.cut(route).map((i) => swaps[i]!));
  }
  return routes;
}

/** Swaps of a transaction as nodes, "gives to" as edges. */
function createGraph(swaps: readonly Swap[], wrapped: Address | undefined) {
  const token = (address: Address): Address => (wrapped !== undefined && address === NATIVE ? wrapped : address);
  const pools = new Set(swaps.map(({ pool }) => pool));
  const byTokenIn = groupBy(swaps, ({ tokenIn }) => token(tokenIn));
  const links = (a: number, b: number): boolean => {
    const [giver, taker] = [swaps[a]!, swaps[b]!];
    return (
      a !== b &&
      (giver.pool === taker.from || giver.to === taker.pool || giver.to === taker.from) &&
      token(giver.tokenOut) === token(taker.tokenIn) &&
      alike(giver.amountOut, taker.amountIn)
    );
  };
  const next = swaps.map(({ tokenOut }, a) => (byTokenIn.get(token(tokenOut)) ?? []).filter((b) => links(a, b)));
  const closes = (start: number, end: number): boolean => {
    const [first, last] = [swaps[start]!, swaps[end]!];
    return (
      start !== end &&
      first.from === last.to &&
      token(first.tokenIn) === token(last.tokenOut) &&
      first.pool !== last.pool &&
      !pools.has(first.from)
    );
  };
  const opening = new Set(swaps.map(({ tokenOut, to }) => `${token(tokenOut)} ${to}`));

  return {
    /** Breadth first, so that the first end found is the nearest. */
    shortest(start: number, free: ReadonlySet<number>): number[] | undefined {
      const { tokenIn, from } = swaps[start]!;
      if (!opening.has(`${token(tokenIn)} ${from}`)) return undefined;
      const before = new Map<number, number>([[start, -1]]);
      const queue = [start];
      for (const a of queue) {
        for (const b of next[a]!) {
          if (before.has(b) || !free.has(b)) continue;
          before.set(b, a);
          if (closes(start, b)) return walkBack(before, b);
          queue.push(b);
        }
      }
      return undefined;
    },
    /** The same circle, begun where most comes back for what went in; else where the logs begin. */
    cut(route: readonly number[]): number[] {
      const gain = (at: number): number => {
        const put = swaps[route[at]!]!.amountIn;
        const got = swaps[route.at(at - 1)!]!.amountOut;
        return got > put ? Number(((got - put) * 1_000_000_000n) / put) : 0;
      };
      let best = 0;
      for (let at = 1; at < route.length; at++) {
        const possible = closes(route[at]!, route[at - 1]!) && links(route.at(-1)!, route[0]!);
        if (possible && gain(at) > gain(best)) best = at;
      }
      return [...route.slice(best), ...route.slice(0, best)];
    },
  };
}

function walkBack(before: ReadonlyMap<number, number>, end: number): number[] {
  const route: number[] = [];
  for (let at = end; at !== -1; at = before.get(at)!) route.unshift(at);
  return route;
}

function groupBy(swaps: readonly Swap[], key: (swap: Swap) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, swap] of swaps.entries()) {
    const group = groups.get(key(swap));
    if (group) group.push(i);
    else groups.set(key(swap), [i]);
  }
  return groups;
}

/** Equal within the tolerance; two zeros are nothing that moved. */
export const alike = (a: bigint, b: bigint): boolean => (a > b ? a - b : b - a) * TOLERANCE < a + b;

function judge(route: readonly Swap[], isRouter: (address: Address) => boolean): ArbitrageFinding {
  const [first, last] = [route[0]!, route.at(-1)!];
  const inOrder = [...route].sort((a, b) => a.logIndex - b.logIndex);
  return {
    kind: "arbitrage",
    definition: "cycle",
    transaction: first.transaction,
    logIndex: inOrder[0]!.logIndex,
    account: first.from,
    profitToken: first.tokenIn,
    startAmount: first.amountIn,
    endAmount: last.amountOut,
    profitAmount: last.amountOut - first.amountIn,
    route,
    ...certainty(route, isRouter(first.from)),
    evidence: inOrder.map(({ logIndex }) => logIndex),
  };
}

function certainty(route: readonly Swap[], forStrangers: boolean): { confidence: Confidence; reason: string } {
  const hops = `${route.length} swaps lead back to their first token and account`;
  if (route.at(-1)!.amountOut <= route[0]!.amountIn) return { confidence: "low", reason: `${hops}, at a loss` };
  if (forStrangers) return { confidence: "low", reason: `${hops}, but a router did them, perhaps for several people` };
  const unsure = route.find(({ confidence }) => confidence !== "high");
  if (unsure) return { confidence: unsure.confidence, reason: `${hops}; of log ${unsure.logIndex}: ${unsure.reason}` };
  const exact = route.every((swap, i) => i === 0 || route[i - 1]!.amountOut === swap.amountIn);
  if (exact) return { confidence: "high", reason: `${hops}, all of each token handed on` };
  return { confidence: "medium", reason: `${hops}, amounts handed on within 1 %` };
}
