/** A chain as stored, read whole into memory: what the brute-force features are computed from. */
import type { Store } from "../../../clickhouse/client.ts";

export interface Tx {
  readonly hash: string;
  readonly block: number;
  readonly index: number;
  /** Unix seconds of the block. */
  readonly t: number;
  readonly from: string;
  readonly to: string | null;
  readonly status: number | null;
  readonly price: number | null;
  readonly base: number | null;
  readonly value: number;
  readonly bytes: number;
  readonly blockUsed: number | null;
  readonly blockLimit: number | null;
  /** First sighting in Unix seconds, of a later time, too. */
  readonly seen: number | null;
  readonly swaps: readonly Swap[];
  readonly routes: number;
  readonly attempt: boolean;
}

export interface Swap {
  readonly block: number;
  readonly index: number;
  readonly log: number;
  readonly t: number;
  readonly from: string;
  readonly pool: string;
  readonly protocol: string;
  readonly pair: string;
  readonly bought: string;
  readonly sold: string;
  readonly sells0: boolean;
  readonly amount0: bigint;
  readonly amount1: bigint;
  /** ln(token1 / token0), to the billionth. */
  readonly paid: number;
  readonly price: number;
  readonly depth0: number | null;
}

export interface History {
  /** In the order of the chain. */
  readonly transactions: readonly Tx[];
  readonly swaps: readonly Swap[];
  readonly sandwiches: readonly { block: number; t: number; pool: string; victims: number }[];
  readonly arbitrages: readonly { t: number; pools: readonly string[] }[];
}

const NATIVE = "ee".repeat(20);
const billionths = (x: number): number => Math.round(x * 1e9);

export async function readHistory(store: Store, chain: number, wrapped: string): Promise<History> {
  const ask = <T>(sql: string): Promise<T[]> => store.rows<T>(sql, { chain });
  const seen = new Map(
    (
      await ask<{ hash: string; seen: number }>(
        "SELECT hex(hash) AS hash, toUnixTimestamp64Micro(min(ifNull(seen_at, event_time))) / 1e6 AS seen FROM transactions WHERE chain_id = {chain:UInt64} AND (block_number IS NULL OR seen_at IS NOT NULL) GROUP BY hash",
      )
    ).map(({ hash, seen }) => [hash, seen]),
  );
  const coin = (token: string): string => (token === NATIVE && wrapped !== "" ? wrapped : token);
  const place = (token: string): string => (token === NATIVE ? "00".repeat(20) : token);
  const swaps = (
    await ask<Record<string, string | null>>(
      "SELECT toString(block_number) AS block, toString(transaction_index) AS tx, toString(log_index) AS log, toString(toUnixTimestamp(block_timestamp)) AS t, hex(tx_from) AS tx_from, hex(pool) AS pool, protocol, lower(hex(token_in)) AS token_in, lower(hex(token_out)) AS token_out, toString(amount_in) AS amount_in, toString(amount_out) AS amount_out, toString(reserve0) AS reserve0, toString(reserve1) AS reserve1, toString(sqrt_price_x96) AS root, toString(liquidity) AS liquidity FROM swaps AS s WHERE chain_id = {chain:UInt64} AND s.amount_in > 0 AND s.amount_out > 0 ORDER BY block_number, s.log_index",
    )
  ).map((row): Swap => {
    const [bought, sold] = [coin(row.token_in!), coin(row.token_out!)];
    const sells0 = bought < sold;
    const turned = place(row.token_in!) < place(row.token_out!) !== sells0;
    const [amountIn, amountOut] = [BigInt(row.amount_in!), BigInt(row.amount_out!)];
    const [amount0, amount1] = sells0 ? [amountIn, amountOut] : [amountOut, amountIn];
    const paid = Math.log(Number(amount1)) - Math.log(Number(amount0));
    let state: number | undefined;
    let liquidity: number | undefined;
    if (row.protocol === "uniswap_v2" && Number(row.reserve0) > 0 && Number(row.reserve1) > 0) {
      state = Math.log(Number(row.reserve1)) - Math.log(Number(row.reserve0));
      liquidity = Math.sqrt(Number(row.reserve0)) * Math.sqrt(Number(row.reserve1));
    } else if (Number(row.root) > 0 && Number(row.liquidity) > 0) {
      state = 2 * Math.log(Number(row.root) / 2 ** 96);
      liquidity = Number(row.liquidity);
    }
    const price = billionths(state === undefined ? paid : turned ? -state : state);
    return {
      block: Number(row.block),
      index: Number(row.tx),
      log: Number(row.log),
      t: Number(row.t),
      from: row.tx_from!,
      pool: row.pool!,
      protocol: row.protocol!,
      bought,
      sold,
      sells0,
      amount0,
      amount1,
      price,
      pair: [bought, sold].sort().join(" "),
      paid: billionths(paid),
      depth0: liquidity === undefined ? null : liquidity * Math.exp(-price / 2e9),
    };
  });
  const at = (block: unknown, index: unknown): string => `${block} ${index}`;
  const swapsAt = groupBy(swaps, ({ block, index }) => at(block, index));
  const routes = await ask<{ block: string; tx: number; t: number; pools: string[] }>(
    "SELECT block_number AS block, transaction_index AS tx, toUnixTimestamp(block_timestamp) AS t, arrayMap(p -> hex(p), route_pools) AS pools FROM arbitrages WHERE chain_id = {chain:UInt64} AND definition = 'cycle'",
  );
  const routesAt = groupBy(routes, ({ block, tx }) => at(block, tx));
  const attempts = new Set(
    (
      await ask<{ block: string; tx: number }>(
        "SELECT block_number AS block, transaction_index AS tx FROM failed_attempts WHERE chain_id = {chain:UInt64}",
      )
    ).map(({ block, tx }) => at(block, tx)),
  );
  const transactions = (
    await ask<Record<string, string | null>>(
      "SELECT hex(hash) AS hash, toString(block_number) AS block, toString(transaction_index) AS tx, toString(toUnixTimestamp(block_timestamp)) AS t, hex(from_address) AS sender, hex(to_address) AS recipient, toString(status) AS status, toString(effective_gas_price) AS price, toString(base_fee_per_gas) AS base, toString(value) AS value, toString(length(input)) AS bytes, toString(block_gas_used) AS used, toString(block_gas_limit) AS most FROM transactions WHERE chain_id = {chain:UInt64} AND block_number IS NOT NULL ORDER BY block_number, transaction_index",
    )
  ).map(
    (row): Tx => ({
      hash: row.hash!,
      block: Number(row.block),
      index: Number(row.tx),
      t: Number(row.t),
      from: row.sender!,
      to: row.recipient ?? null,
      status: number(row.status),
      price: number(row.price),
      base: number(row.base),
      value: Number(row.value),
      bytes: Number(row.bytes),
      blockUsed: number(row.used),
      blockLimit: number(row.most),
      seen: seen.get(row.hash!) ?? null,
      swaps: swapsAt.get(at(row.block, row.tx)) ?? [],
      routes: routesAt.get(at(row.block, row.tx))?.length ?? 0,
      attempt: attempts.has(at(row.block, row.tx)),
    }),
  );
  const sandwiches = await ask<{ block: string; t: number; pool: string; victims: string }>(
    "SELECT block_number AS block, toUnixTimestamp(block_timestamp) AS t, hex(pool) AS pool, length(victim_txs) AS victims FROM sandwiches WHERE chain_id = {chain:UInt64}",
  );
  return {
    transactions,
    swaps,
    arbitrages: routes.map(({ t, pools }) => ({ t, pools })),
    sandwiches: sandwiches.map(({ block, t, pool, victims }) => ({
      block: Number(block),
      t,
      pool,
      victims: Number(victims),
    })),
  };
}

const number = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Number(text);

/** `Map.groupBy` of later Nodes. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | number): Map<string | number, T[]> {
  const groups = new Map<string | number, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
