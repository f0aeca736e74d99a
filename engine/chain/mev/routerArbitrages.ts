/**
 * Arbitrage, definition `router`, as seed 002 has it: two swaps or more in a transaction that calls a known router's known method. It
 * catches ordinary trades over two pools, too, so statistics count `cycle`. Amounts are those of the first swap in and the last one out;
 * where these are two tokens there is no profit to speak of.
 */
import { has, hexAt, inputAt, inputLength } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { ArbitrageFinding } from "../finding.ts";
import type { Address, Swap } from "../swap.ts";

export interface RouterOptions {
  /** Names of the chain's routers. */
  readonly routers: ReadonlyMap<Address, string>;
  /** Signatures of methods that swap, by selector. */
  readonly methods: ReadonlyMap<string, string>;
}

/** @param swaps of the block, ordered by transaction and log */
export function findRouterArbitrages(view: BlockView, swaps: readonly Swap[], { routers, methods }: RouterOptions) {
  const findings: ArbitrageFinding[] = [];
  for (let from = 0; from < swaps.length; ) {
    const { transaction } = swaps[from]!;
    let to = from + 1;
    while (to < swaps.length && swaps[to]!.transaction === transaction) to++;
    const frame = view.frames[transaction]!;
    if (to - from > 1 && has(view, frame, PRESENT.to) && inputLength(view, frame) >= 4) {
      const router = routers.get(hexAt(view, frame + OFFSET.to, 20));
      const method = router && methods.get(hexAt(view, inputAt(view, frame), 4));
      if (method) findings.push(findingOf(swaps.slice(from, to), hexAt(view, frame + OFFSET.from, 20), router, method));
    }
    from = to;
  }
  return findings;
}

function findingOf(route: readonly Swap[], account: Address, router: string, method: string): ArbitrageFinding {
  const [first, last] = [route[0]!, route.at(-1)!];
  const closes = first.tokenIn === last.tokenOut;
  const says = `${route.length} swaps by ${method.slice(0, method.indexOf("("))} of ${router}`;
  return {
    kind: "arbitrage",
    definition: "router",
    transaction: first.transaction,
    logIndex: first.logIndex,
    account,
    profitToken: first.tokenIn,
    startAmount: first.amountIn,
    endAmount: last.amountOut,
    profitAmount: closes ? last.amountOut - first.amountIn : null,
    route,
    confidence: "low",
    reason: closes ? `${says}, which end in the token they began with` : `${says}, which end in another token`,
    evidence: route.map(({ logIndex }) => logIndex),
  };
}
