import { createRoute, z } from "@hono/zod-openapi";
import { type PoolRow, poolsList } from "../../clickhouse/queries/pools.ts";
import type { PoolIdentity } from "../../engine/chain/poolIdentity.ts";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import { ControlUnavailable } from "../../engine/control/errors.ts";
import { keyOf, type Label } from "../../engine/label/label.ts";
import { shortAddress } from "../../engine/label/message.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import { findPools } from "../../engine/source/rpc/poolStore.ts";
import type { ApiDeps } from "../deps.ts";
import { createLabelFinder } from "../labelledMessages.ts";
import { answerList, type Listing, readPage, withETag } from "../list.ts";
import { addressText, chain, listParameters, optional, poolText, query, times, wordText } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { describe } from "../statistics/fields.ts";

const raw = (what: string) => describe(z.string().nullable(), `${what}, exact, decimal text`);
const whole = (what: string) =>
  describe(z.number().nullable(), `${what}, whole tokens; null where the decimals are not known`);

export const poolSchema = z
  .object({
    chain_id: z.int(),
    address: describe(z.string(), "contract of the pool; where one vault has all, the pool's id of 32 bytes"),
    pool_name: describe(z.string(), "its tokens, by their symbols where these are known"),
    protocol: describe(z.string(), "as swaps have it: uniswap_v2 is any pool that logs as Uniswap V2's do"),
    tokens: describe(z.array(z.string()), "that it was seen to trade"),
    token0: describe(z.string().nullable(), "first of two; null of a pool of more"),
    token1: z.string().nullable(),
    factory: describe(
      z.string().nullable(),
      "what the pool says that it was made by; null where no watcher of its chain has asked it, or it does not say",
    ),
    dex: describe(z.string().nullable(), "whose factory that is; null where it is not known"),
    fee: describe(
      z.number().nullable(),
      "what it takes of an input, in hundredths of a bip: 3000 is 0.3 %; null where it is not known",
    ),
    swaps: z.int(),
    last_swap_at: z.string(),
    last_tx: describe(z.string(), "transaction of the last swap"),
    block_number: describe(z.int(), "of the last swap: what follows is what that left"),
    reserve0: whole("what the pool holds of token0, where its logs say so"),
    reserve0_raw: raw("the same in smallest units"),
    reserve1: whole("what the pool holds of token1"),
    reserve1_raw: raw("the same in smallest units"),
    sqrt_price_x96: raw("of V3's and V4's kind: square root of the price times 2^96"),
    liquidity_raw: raw("of V3's and V4's kind: liquidity at that price"),
    tick: z.int().nullable(),
    imbalance_pct: describe(
      z.number().nullable(),
      "of what the sides are worth, if that block left it 5 % or more out of balance; else null",
    ),
    imbalance_pct_raw: describe(z.number().nullable(), "of amounts, as seed 002 has it; null without reserves"),
    volume0: whole("token0 that went through, both ways, from since to until"),
    volume0_raw: raw("the same in smallest units"),
    volume1: whole("token1 that went through"),
    volume1_raw: raw("the same in smallest units"),
  })
  .openapi("Pool");

const DESCRIPTION =
  "Pools as their swaps left them, out of what is stored: pools that nobody traded in are not among them. since and until say which swaps count. Blocks that were replaced have not happened.";

export const poolParameters = query({
  ...chain,
  token: optional(addressText, "one of its tokens"),
  protocol: optional(wordText(32), "as swaps have it", "uniswap_v3"),
  ...listParameters(poolsList({}).list),
});

const list = createRoute({
  method: "get",
  path: "/api/v1/pools",
  tags: ["statistics"],
  summary: "Pools with what they hold and what went through them, the one that traded last first",
  description: DESCRIPTION,
  request: { query: poolParameters },
  responses: {
    200: { ...json(z.array(poolSchema), "Pools"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/pools/{address}",
  tags: ["statistics"],
  summary: "A pool, on each chain that has one of this address",
  description: DESCRIPTION,
  request: {
    params: z.object({ address: poolText.openapi({ param: { description: "contract of the pool, or its id" } }) }),
    query: query({ ...chain, ...times }),
  },
  responses: {
    200: json(z.array(poolSchema), "The pool, one entry a chain"),
    400: problemResponse("Wrong parameters"),
    404: problemResponse("No swap of it is stored"),
    ...DATABASE_PROBLEMS,
  },
});

type AskedPools = Partial<z.output<typeof poolParameters>> & { readonly pool?: string };

/** Pools with what is asked of them, named by the labels of now. */
export function createPoolListing({ labels, log, control }: Pick<ApiDeps, "labels" | "log" | "control">) {
  const find = createLabelFinder(labels, log);

  /** What pools say of themselves, by keyOf; while the control store is away, nothing. */
  async function identitiesOf(rows: readonly PoolRow[]): Promise<Map<string, PoolIdentity>> {
    const wanted = rows.map(({ chain_id, pool }) => ({ chainId: Number(chain_id), address: pool }));
    try {
      return new Map((await findPools(control, wanted)).map((pool) => [keyOf(pool), pool]));
    } catch (error) {
      if (!(error instanceof ControlUnavailable)) throw error;
      logSeldom(log, "warn", { event: "pools_unreadable", reason: error.message }, "Cannot read what pools say");
      return new Map();
    }
  }

  async function encode(rows: readonly PoolRow[]): Promise<z.infer<typeof poolSchema>[]> {
    const tokens = rows.flatMap(({ chain_id, tokens }) => tokens.map((address) => ({ chainId: Number(chain_id), address }))); // biome-ignore format: one call
    const [names, identities] = await Promise.all([
      tokens.length === 0 ? new Map() : find(new Map(tokens.map((token) => [keyOf(token), token]))),
      identitiesOf(rows),
    ]);
    return rows.map((row) => toPool(row, names, identities.get(keyOf({ chainId: Number(row.chain_id), address: row.pool })))); // biome-ignore format: one call
  }
  return ({ chain_id, chainId, pool, token, protocol, since, until }: AskedPools): Listing<PoolRow, unknown> => ({
    ...poolsList({ pool, chainId: chain_id ?? chainId, token, protocol, since, until }),
    encode,
  });
}

export function poolRoutes({ store, ...deps }: Pick<ApiDeps, "store" | "labels" | "log" | "control">) {
  const listing = createPoolListing(deps);
  return createRouter()
    .openapi(list, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = listing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    })
    .openapi(one, async (c) => {
      const { list, conditions, encode } = listing({ ...c.req.valid("query"), pool: c.req.valid("param").address });
      const { rows } = await readPage<PoolRow>(store, list, conditions, { limit: 100, offset: 0 });
      if (rows.length === 0) throw refuse(404, "Pool not found");
      return withETag(c, await encode(rows));
    });
}

function toPool(
  row: PoolRow,
  names: ReadonlyMap<string, Label>,
  identity: PoolIdentity | undefined,
): z.infer<typeof poolSchema> {
  const chainId = Number(row.chain_id);
  const { factory = null } = identity ?? {};
  const chain = builtInRegistry.chains.get(chainId);
  const [pairs, ranges] = factory === null ? [] : [chain?.v2Factories.get(factory), chain?.v3Factories.get(factory)];
  const labels = row.tokens.map((address) => names.get(keyOf({ chainId, address })));
  const [token0 = null, token1 = null] = row.tokens.length === 2 ? row.tokens : [];
  const inWhole = (amount: string | null, place: 0 | 1): number | null => {
    const decimals = labels[place]?.decimals;
    return amount === null || token0 === null || decimals == null ? null : Number(amount) / 10 ** decimals;
  };
  return {
    chain_id: chainId,
    address: row.pool,
    pool_name: row.tokens.map((address, i) => labels[i]?.symbol ?? shortAddress(address)).join("-"),
    protocol: row.protocol,
    tokens: [...row.tokens],
    token0,
    token1,
    factory,
    dex: pairs?.name ?? ranges?.name ?? null,
    fee: identity?.fee ?? (pairs ? 100 * (10_000 - pairs.keep) : null),
    swaps: Number(row.swaps),
    last_swap_at: row.last_swap_at,
    last_tx: row.last_tx,
    block_number: Number(row.block_number),
    reserve0: inWhole(row.reserve0_raw, 0),
    reserve0_raw: row.reserve0_raw,
    reserve1: inWhole(row.reserve1_raw, 1),
    reserve1_raw: row.reserve1_raw,
    sqrt_price_x96: row.sqrt_price_x96,
    liquidity_raw: row.liquidity,
    tick: row.tick,
    imbalance_pct: row.imbalance_pct,
    imbalance_pct_raw: row.imbalance_pct_raw,
    volume0: inWhole(row.volume0_raw, 0),
    volume0_raw: row.volume0_raw,
    volume1: inWhole(row.volume1_raw, 1),
    volume1_raw: row.volume1_raw,
  };
}
