import { LOG } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { createEvent } from "../event.ts";
import type { Swap } from "../swap.ts";
import { createTopicTable } from "../topicTable.ts";
import { byBalance, type Exchange, type Layout } from "./exchange.ts";

/** Uniswap V2 and its forks; Solidly's first pools (THENA, Velodrome V1) log the same. */
const swap = createEvent("Swap", ["indexed address", "uint256", "uint256", "uint256", "uint256", "indexed address"]);
/** KyberDMM: with its fee behind. Prices follow reserves that are partly virtual, so what it logs of them is of no use to others. */
const kyberSwap = createEvent("Swap", ["indexed address", "uint256", "uint256", "uint256", "uint256", "indexed address", "uint256"]); // biome-ignore format: a line each
/** Velodrome V2 and Aerodrome: the same with `to` in second place. */
const solidlySwap = createEvent("Swap", ["indexed address", "indexed address", "uint256", "uint256", "uint256", "uint256"]); // biome-ignore format: a line each

export const uniswapV2: Layout = {
  signature: swap.signature,
  settles: "before",
  read(view, log, previous) {
    const values = swap.read(view, log);
    if (values === undefined) return undefined;
    const [payer, in0, in1, out0, out1, recipient] = values;
    return exchange([in0, in1], [out0, out1], { payer, recipient, after: reserves(view, log, previous) });
  },
};

export const kyberDmm: Layout = {
  signature: kyberSwap.signature,
  settles: "before",
  read(view, log) {
    const values = kyberSwap.read(view, log);
    if (values === undefined) return undefined;
    const [payer, in0, in1, out0, out1, recipient] = values;
    return exchange([in0, in1], [out0, out1], { payer, recipient });
  },
};

export const solidly: Layout = {
  signature: solidlySwap.signature,
  settles: "before",
  read(view, log, previous) {
    const values = solidlySwap.read(view, log);
    if (values === undefined) return undefined;
    const [payer, recipient, in0, in1, out0, out1] = values;
    return exchange([in0, in1], [out0, out1], { payer, recipient, after: reserves(view, log, previous) });
  },
};

/**
 * What was paid for what. The log has what each token's balance grew by, and what was paid out of it, so both sides may have both tokens:
 *
 * - a flash swap gives back some of what it borrowed: of the token paid, in − out is what was paid;
 * - a little that lay in the pool counts as received: of the token bought, out is what was bought.
 *
 * No exchange: a flash loan that is paid back in its own token (nothing out on the other side), or a gift of both tokens.
 */
function exchange(
  received: readonly [bigint, bigint],
  paid: readonly [bigint, bigint],
  rest: Pick<Exchange, "payer" | "recipient" | "after">,
): Exchange | undefined {
  const amounts = byBalance(received[0] - paid[0], received[1] - paid[1]);
  if (amounts?.tokens.known !== "direction") return undefined;
  return { ...amounts, amountOut: paid[amounts.tokens.zeroForOne ? 1 : 0], ...rest };
}

const sync = createEvent("Sync", ["uint112", "uint112"]);
const solidlySync = createEvent("Sync", ["uint256", "uint256"]);
/** Both hold two words. */
export const SYNC_EVENTS = [
  { event: sync, topic0: "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1" },
  { event: solidlySync, topic0: "0xcf2aa50876cdfbb541206f89af0ee78d44a2abf8d328e37fa4917f982149848a" },
] as const;
const syncs = createTopicTable(SYNC_EVENTS.map(({ topic0 }) => topic0));

/** A pool logs its reserves right before its swap. */
function reserves(view: BlockView, log: number, previous: number): Swap["after"] {
  if (previous === 0 || !isSameEmitter(view, log, previous)) return undefined;
  const found = syncs.find(view, previous);
  const values = found < 0 ? undefined : SYNC_EVENTS[found]!.event.read(view, previous);
  return values && { reserve0: values[0], reserve1: values[1] };
}

function isSameEmitter({ u32 }: BlockView, a: number, b: number): boolean {
  for (let word = LOG.address >> 2; word < (LOG.address + 20) >> 2; word++)
    if (u32[(a >> 2) + word] !== u32[(b >> 2) + word]) return false;
  return true;
}
