/**
 * Whose pools traded in a block, as they say themselves: read from a node the first time one is seen, all of a block in one call where the chain has
 * Multicall3, kept in the control store and remembered.
 */
import { type Abi, parseAbi } from "viem";
import { MAX_IDENTITIES, type PoolIdentity } from "../../chain/poolIdentity.ts";
import { LAYOUTS } from "../../chain/protocols/layouts.ts";
import type { Chain, Registry } from "../../chain/registry/registry.ts";
import type { Address } from "../../chain/swap.ts";
import { createCaller } from "./contractCalls.ts";
import type { Endpoints } from "./endpoints.ts";
import { createKnown } from "./known.ts";
import type { PoolStore } from "./poolStore.ts";
import type { ReadBlock } from "./readBlock.ts";
import { within } from "./within.ts";

export interface PoolIdentities {
  /** Those that are known of the pools that traded, in the order in which they first did. */
  of(block: Pick<ReadBlock, "receipts">): Promise<PoolIdentity[]>;
}

export interface PoolIdentitiesOptions {
  readonly endpoints: Pick<Endpoints, "use">;
  readonly chain: Pick<Chain, "multicall">;
  readonly protocols: Registry["protocols"];
  /** Default: each run asks anew. */
  readonly store?: PoolStore | undefined;
  /** How long a block waits; default 1,000 ms. */
  readonly withinMs?: number;
}

/** Pools of two tokens that log amounts of token0 and token1, each a contract of its own. */
const PAIRED = new Set<object>([
  ...[LAYOUTS.uniswap_v2, LAYOUTS.kyber_dmm, LAYOUTS.solidly],
  ...[LAYOUTS.uniswap_v3, LAYOUTS.pancake_v3, LAYOUTS.algebra_integral],
]);
const ABI = parseAbi([
  "function token0() view returns (address)",
  "function token1() view returns (address)",
  "function factory() view returns (address)",
  "function fee() view returns (uint24)",
]) as Abi;
const NAMES = ["token0", "token1", "factory", "fee"] as const;
/** Of what one block brings: a flood of invented logs waits for the next ones. */
const MOST_ASKED = 250;
const MOST_KNOWN = 100_000;

export function createPoolIdentities(options: PoolIdentitiesOptions): PoolIdentities {
  const { endpoints, chain, protocols, store, withinMs = 1_000 } = options;
  const topics = new Set(protocols.filter(({ layout }) => PAIRED.has(layout)).map(({ topic0 }) => topic0));
  /** null: it is no pool that says what it is of. */
  const known = createKnown<PoolIdentity | null>(MOST_KNOWN);

  function tradedIn(receipts: ReadBlock["receipts"]): Address[] {
    const traded = new Set<Address>();
    for (const { logs = [] } of receipts as { logs?: { address: string; topics: string[] }[] }[])
      for (const { address, topics: said } of logs)
        if (said[0] !== undefined && topics.has(said[0]) && traded.size < MAX_IDENTITIES)
          traded.add(address.toLowerCase());
    return [...traded];
  }

  async function learn(pools: readonly Address[]): Promise<void> {
    for (const pool of (await store?.find(pools)) ?? []) known.set(pool.address, pool);
    const asked = pools.filter((pool) => known.get(pool) === undefined);
    if (asked.length === 0) return;
    const answers = await endpoints.use((endpoint) =>
      createCaller(
        endpoint,
        "latest",
        ABI,
        chain.multicall,
      )(asked.flatMap((to) => NAMES.map((functionName) => ({ to, functionName })))),
    );
    const found = asked.flatMap((address, i): PoolIdentity[] => {
      const [token0, token1, factory, fee] = answers.slice(NAMES.length * i, NAMES.length * (i + 1));
      if (typeof token0 !== "string" || typeof token1 !== "string" || token0 === token1) return [];
      const made = typeof factory === "string" ? factory.toLowerCase() : null;
      const takes = typeof fee === "number" ? fee : null;
      return [{ address, token0: token0.toLowerCase(), token1: token1.toLowerCase(), factory: made, fee: takes }];
    });
    await store?.add(found);
    for (const pool of asked) known.set(pool, null);
    for (const pool of found) known.set(pool.address, pool);
  }

  return {
    async of({ receipts }) {
      const traded = tradedIn(receipts);
      const unknown = traded.filter((pool) => known.get(pool) === undefined).slice(0, MOST_ASKED);
      if (unknown.length > 0) await within(withinMs, learn(unknown));
      return traded.flatMap((pool) => known.get(pool) ?? []);
    },
  };
}
