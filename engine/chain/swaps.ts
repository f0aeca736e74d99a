import { extraAt, hexAt, logCount, logIndex, logsAt, nextEntry } from "../frame/readFrame.ts";
import { LOG } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";
import { createMovements, type Movements } from "./movements.ts";
import type { Exchange } from "./protocols/exchange.ts";
import type { Protocol, Registry } from "./registry/registry.ts";
import { type PoolTokens, type Resolved, resolve } from "./resolve.ts";
import type { Address, Swap } from "./swap.ts";
import { createTopicTable } from "./topicTable.ts";
import { findTransfers, hasHappened } from "./transfers.ts";

export interface SwapFinderOptions {
  readonly registry: Registry;
  /** Tokens of pools, by the pool's address or id, where they are known; else they are found from transfers. */
  readonly pools?: ReadonlyMap<Address, PoolTokens>;
  /** Told of each log of a swap that is not reported: a token of it remains unknown, or nothing backs what a stranger's log says. */
  readonly onUnresolved?: (swap: Pick<Swap, "transaction" | "logIndex" | "protocol" | "pool">) => void;
}

/** The swaps of a block that happened, ordered by transaction and log. Pending and reverted transactions have none. */
export type SwapFinder = (view: BlockView) => Swap[];

/** @returns a finder, which keeps nothing between two views */
export function createSwapFinder({ registry, pools, onUnresolved }: SwapFinderOptions): SwapFinder {
  const { protocols } = registry;
  const table = createTopicTable(protocols.map(({ topic0 }) => topic0));

  function findInTransaction(view: BlockView, transaction: number): Swap[] {
    const frame = view.frames[transaction]!;
    const wrapped = registry.chains.get(view.chainId)?.wrapped;
    const count = logCount(view, frame);
    const lastSwaps = new Map<Address, number>();
    const swaps: Swap[] = [];
    const summaries: Swap[] = [];
    let movements: Movements | undefined;
    const end = extraAt(view, frame);
    for (let position = 0, previous = 0, next = logsAt(view, frame); position < count; position++) {
      const log = next;
      next = nextEntry(view, log);
      const protocol = protocols[table.find(view, log)];
      const exchange = protocol?.layout.read(view, log, previous, end);
      previous = log;
      if (protocol === undefined || exchange === undefined) continue;
      const { layout } = protocol;
      movements ??= createMovements(findTransfers(view, transaction, wrapped), wrapped);
      const emitter = hexAt(view, log + LOG.address, 20);
      const holder = exchange.holder ?? emitter;
      const pool = exchange.pool ?? emitter;
      const place = { layout, movements, holder, from: lastSwaps.get(holder) ?? -1, to: position };
      lastSwaps.set(holder, position);
      const isOfficial = protocol.contracts?.has(emitter) ?? false;
      const resolved = resolve(exchange, pools?.get(pool), isOfficial, place);
      const what = { transaction, logIndex: logIndex(view, log), protocol: protocol.name, pool };
      if (resolved === undefined) onUnresolved?.(what);
      else (layout.isSummary ? summaries : swaps).push(swapOf(what, exchange, protocol, resolved));
    }
    return swaps.length > 0 ? swaps : summaries;
  }

  return (view) => {
    const swaps: Swap[] = [];
    if (view.blockNumber === undefined) return swaps;
    for (let transaction = 0; transaction < view.frames.length; transaction++) {
      if (!hasSwapLog(view, view.frames[transaction]!)) continue;
      for (const swap of findInTransaction(view, transaction)) swaps.push(swap);
    }
    return swaps;
  };

  /** All that most transactions are asked. */
  function hasSwapLog(view: BlockView, frame: number): boolean {
    for (let i = logCount(view, frame), log = logsAt(view, frame); i > 0; i--, log = nextEntry(view, log))
      if (table.find(view, log) >= 0) return hasHappened(view, frame);
    return false;
  }
}

type What = Pick<Swap, "transaction" | "logIndex" | "protocol" | "pool">;

function swapOf(what: What, { amountIn, amountOut, after }: Exchange, protocol: Protocol, resolved: Resolved): Swap {
  const { transfers, confidence, reason, ...rest } = resolved;
  const caveat = protocol.layout.isSummary
    ? "by pools that are not known"
    : protocol.proven || confidence !== "high"
      ? undefined
      : "no real log of this protocol was tested";
  return {
    ...what,
    ...rest,
    amountIn,
    amountOut,
    confidence: caveat && confidence === "high" ? "medium" : confidence,
    reason: caveat ? `${reason}; ${caveat}` : reason,
    evidence: [what.logIndex, ...transfers.map((transfer) => transfer.logIndex).filter((index) => index >= 0)],
    ...(after && { after }),
  };
}
