import { hexAt, logCount, logIndex, logsAt, nextEntry } from "../frame/readFrame.ts";
import { LOG } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";
import { createMovements, type Movements } from "./movements.ts";
import type { Registry } from "./registry/registry.ts";
import { type PoolTokens, type Resolved, resolve } from "./resolve.ts";
import type { Address, Swap } from "./swap.ts";
import { createTopicTable } from "./topicTable.ts";
import { findTransfers, hasHappened } from "./transfers.ts";

export interface SwapFinderOptions {
  readonly registry: Registry;
  /** Tokens of pools, by the pool's address or id, where they are known; else they are found from transfers. */
  readonly pools?: ReadonlyMap<Address, PoolTokens>;
  /** Told of each swap that cannot be reported since a token of it remains unknown. */
  readonly onUnresolved?: (swap: { transaction: number; logIndex: number; protocol: string; pool: Address }) => void;
}

/** The swaps of a block that happened, ordered by transaction and log. Pending and reverted transactions have none. */
export type SwapFinder = (view: BlockView) => Swap[];

export function createSwapFinder({ registry, pools, onUnresolved }: SwapFinderOptions): SwapFinder {
  const protocols = registry.protocols;
  const table = createTopicTable(protocols.map(({ topic0 }) => topic0));

  function findInTransaction(view: BlockView, transaction: number, swaps: Swap[]): void {
    const frame = view.frames[transaction]!;
    const count = logCount(view, frame);
    let movements: Movements | undefined;
    let lastSwaps: Map<Address, number> | undefined;
    let previous = 0;
    for (let position = 0, log = logsAt(view, frame); position < count; position++) {
      const found = table.find(view, log);
      if (found >= 0 && hasHappened(view, frame)) {
        movements ??= createMovements(findTransfers(view, transaction, registry.chains.get(view.chainId)?.wrapped));
        lastSwaps ??= new Map();
        const protocol = protocols[found]!;
        const exchange = protocol.layout.read(view, log, previous);
        if (exchange !== undefined) {
          const holder = hexAt(view, log + LOG.address, 20);
          const pool = exchange.pool ?? holder;
          const window = [lastSwaps.get(holder) ?? -1, position] as const;
          lastSwaps.set(holder, position);
          const resolved = resolve(exchange, holder, pools?.get(pool), movements, window);
          if (resolved === undefined)
            onUnresolved?.({ transaction, logIndex: logIndex(view, log), protocol: protocol.name, pool });
          else {
            const { transfers, ...rest } = protocol.proven ? resolved : unproven(resolved);
            swaps.push({
              transaction,
              logIndex: logIndex(view, log),
              protocol: protocol.name,
              pool,
              amountIn: exchange.amountIn,
              amountOut: exchange.amountOut,
              ...rest,
              evidence: [
                logIndex(view, log),
                ...transfers.map((transfer) => transfer.logIndex).filter((index) => index >= 0),
              ],
              ...(exchange.after && { after: exchange.after }),
            });
          }
        }
      }
      previous = log;
      log = nextEntry(view, log);
    }
  }

  return (view) => {
    const swaps: Swap[] = [];
    if (view.blockNumber === undefined) return swaps;
    for (let transaction = 0; transaction < view.frames.length; transaction++)
      findInTransaction(view, transaction, swaps);
    return swaps;
  };
}

function unproven(resolved: Resolved): Resolved {
  if (resolved.confidence !== "high") return resolved;
  return {
    ...resolved,
    confidence: "medium",
    reason: `${resolved.reason}; no real log of this protocol is among our fixtures`,
  };
}
