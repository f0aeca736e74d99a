/**
 * Features by brute force: for each transaction a loop over all that came before it, as the formulas of the catalogue say in words. Nothing
 * of clickhouse/features is used.
 */
import { groupBy, type History, type Swap, type Tx } from "./history.ts";

type Values = Record<string, number | null>;

const SECONDS = { "5s": 5, "1m": 60, "5m": 300, "1h": 3_600 };
type Window = keyof typeof SECONDS;

/** Of transactions at these places of the history, in their order. */
export function* referenceFeatures(history: History, places: Iterable<number>): Generator<[Tx, Values]> {
  const byPool = groupBy(history.swaps, ({ pool }) => pool);
  const byPair = groupBy(history.swaps, ({ pair }) => pair);
  for (const place of places) {
    const tx = history.transactions[place]!;
    const values: Values = {};
    ofChain(history, place, tx, values);
    const first = tx.swaps.toSorted((a, b) => a.log - b.log)[0];
    if (first !== undefined) {
      const before = (swaps: readonly Swap[]): Swap[] =>
        swaps.filter((s) => s.block < tx.block || (s.block === tx.block && s.index < tx.index));
      const pool = before(byPool.get(first.pool)!);
      ofPool(first, pool, values);
      ofPair(first, before(byPair.get(first.pair)!), values);
      ofToken(first, before(history.swaps.filter((s) => s.bought === first.sold || s.sold === first.sold)), values);
      ofHours(history, first, values);
    }
    yield [tx, values];
  }
}

const within = <T extends { t: number }>(events: readonly T[], t: number, window: Window): T[] =>
  events.filter((event) => event.t > t - SECONDS[window]);
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const mean = (xs: readonly number[]): number => sum(xs) / xs.length;
function deviation(xs: readonly number[]): number {
  const centre = mean(xs);
  return Math.sqrt(mean(xs.map((x) => (x - centre) ** 2)));
}
/** What is not a number is unknown. */
const finite = (x: number | null | undefined): number | null => (x != null && Number.isFinite(x) ? x : null);
const known = (xs: readonly (number | null)[]): number[] => xs.filter((x) => x !== null);

function ofChain({ transactions, sandwiches }: History, place: number, tx: Tx, values: Values): void {
  let start = place;
  while (start > 0 && transactions[start - 1]!.t > tx.t - 3_600) start--;
  const hour = transactions.slice(start, place);
  const seen = ({ seen, t }: Tx): boolean => seen !== null && seen <= t && seen > t - 86_400;
  const tip = ({ price, base }: Tx): number | null =>
    price === null || base === null || price < base ? null : price - base;
  values.gas_price = finite(tx.price === null ? null : tx.price / 1e9);
  values.priority_fee = finite(tip(tx) === null ? null : tip(tx)! / 1e9);
  const tips = known(hour.slice(-100).map(tip));
  values.priority_fee_percentile =
    tip(tx) === null ? null : finite(tips.filter((x) => x < tip(tx)!).length / tips.length);
  for (const window of ["1m", "5m", "1h"] as const) {
    const of = within(hour, tx.t, window);
    const decided = of.filter(({ status }) => status !== null);
    values[`transaction_rate_${window}`] = of.length / SECONDS[window];
    values[`failure_rate_${window}`] = finite(decided.filter(({ status }) => status === 0).length / decided.length);
    const prices = known(of.map(({ price }) => price));
    values[`gas_price_trend_${window}`] = tx.price === null ? null : finite(tx.price / mean(prices) - 1);
    values[`arbitrages_${window}`] = sum(of.map(({ routes }) => routes));
    values[`stored_blocks_${window}`] = new Set(
      of.filter(({ block }) => block < tx.block).map(({ block }) => block),
    ).size;
  }
  for (const window of ["5m", "1h"] as const) {
    const of = within(hour, tx.t, window);
    const attacks = within(sandwiches, tx.t, window).filter(({ block }) => block < tx.block).length;
    values[`sandwiches_${window}`] = attacks;
    values[`mev_competition_${window}`] = attacks + sum(of.map(({ routes, attempt }) => routes + Number(attempt)));
    values[`private_share_${window}`] = of.some(seen) ? 1 - of.filter(seen).length / of.length : null;
    values[`plain_transfer_share_${window}`] = finite(
      of.filter(({ bytes, to }) => bytes === 0 && to !== null).length / of.length,
    );
    values[`swap_share_${window}`] = finite(
      of.filter(({ swaps }) => swaps.length > 0).length / of.filter(({ status }) => status !== null).length,
    );
    values[`sender_transactions_${window}`] = of.filter(({ from }) => from === tx.from).length;
    values[`recipient_transactions_${window}`] = tx.to === null ? null : of.filter(({ to }) => to === tx.to).length;
  }
  values.mempool_wait = seen(tx) ? tx.t - tx.seen! : null;
  values.private_flow = seen(tx) ? 0 : hour.some(seen) ? 1 : null;
  const blocks = [
    ...groupBy(
      hour.filter(({ block }) => block < tx.block),
      ({ block }) => block,
    ).values(),
  ].map((of) => of[0]!);
  values.slot_interval = blocks.length > 0 ? tx.t - blocks.at(-1)!.t : null;
  values.base_fee_change = tx.base === null ? null : finite(Math.log(tx.base / (blocks.at(-1)?.base ?? Number.NaN)));
  for (const window of ["1m", "5m"] as const) {
    const of = within(blocks, tx.t, window).filter(
      ({ blockUsed, blockLimit }) => blockUsed !== null && blockLimit !== null,
    );
    values[`network_congestion_score_${window}`] = finite(
      sum(of.map((b) => b.blockUsed!)) / sum(of.map((b) => b.blockLimit!)),
    );
  }
  const own = hour.filter(({ from }) => from === tx.from);
  values.sender_idle = own.length > 0 ? tx.t - own.at(-1)!.t : null;
  values.is_arbitrage = tx.status === null ? null : Number(tx.routes > 0);
  values.swaps_in_transaction = tx.status === null ? null : tx.swaps.length;
}

function ofPool(first: Swap, all: readonly Swap[], values: Values): void {
  const hour = within(all, first.t, "1h");
  const prices = hour.map(({ price }) => price);
  const before = prices.at(-1);
  values.log_price = finite(before! / 1e9);
  values.price_impact = finite((first.sells0 ? before! - first.paid : first.paid - before!) / 1e9);
  values.price_age = hour.length > 0 ? first.t - hour.at(-1)!.t : null;
  /** Returns by the swap that they lead to. */
  const returns = all.flatMap((swap, i) =>
    i > 0 && swap.t - all[i - 1]!.t < 3_600 ? [{ t: swap.t, r: (swap.price - all[i - 1]!.price) / 1e9 }] : [],
  );
  for (const window of ["5s", "1m", "5m", "1h"] as const) {
    const r = within(returns, first.t, window).map(({ r }) => r);
    values[`price_volatility_${window}`] = r.length > 1 ? deviation(r) : null;
    if (window === "5s") continue;
    values[`price_return_${window}`] = r.length > 0 ? sum(r) : null;
    values[`realized_volatility_${window}`] = r.length > 0 ? Math.sqrt(sum(r.map((x) => x * x))) : null;
    const of = within(all, first.t, window);
    const volume = sum(of.map(({ amount0 }) => Number(amount0)));
    const bought = sum(of.filter(({ sells0 }) => !sells0).map(({ amount0 }) => Number(amount0)));
    values[`volume_${window}`] = volume;
    values[`swap_count_${window}`] = of.length;
    values[`order_book_imbalance_${window}`] = finite((bought - (volume - bought)) / volume);
    values[`vwap_${window}`] = finite(Math.log(sum(of.map(({ amount1 }) => Number(amount1))) / volume));
    if (window === "1m") continue;
    values[`impermanent_loss_${window}`] =
      r.length > 0 ? 1 - (2 * Math.sqrt(Math.exp(sum(r)))) / (1 + Math.exp(sum(r))) : null;
    values[`trade_size_ratio_${window}`] = finite(Number(first.amount0) / (volume / of.length));
    values[`illiquidity_${window}`] = finite(sum(r.map(Math.abs)) / volume);
  }
  const last15 = prices.slice(-15);
  const moves = last15.slice(1).map((p, i) => p - last15[i]!);
  const up = sum(moves.filter((m) => m > 0));
  const down = -sum(moves.filter((m) => m < 0));
  values.rsi = last15.length === 15 ? (finite(100 - 100 / (1 + up / down)) ?? (up > 0 ? 100 : null)) : null;
  const last20 = prices.slice(-20);
  const full = last20.length === 20;
  values.bollinger_width = full ? (4 * deviation(last20)) / 1e9 : null;
  const [low, high] = [mean(last20) - 2 * deviation(last20), mean(last20) + 2 * deviation(last20)];
  values.bollinger_position = full ? finite((before! - low) / (high - low)) : null;
  values.drawdown = last20.length > 0 ? (before! - Math.max(...last20)) / 1e9 : null;
  values.momentum = prices.length > 10 ? (before! - prices.at(-11)!) / 1e9 : null;
  const sizes = hour.slice(-50).map(({ amount0 }) => Number(amount0));
  values.trade_size_percentile = finite(sizes.filter((s) => s < Number(first.amount0)).length / sizes.length);
  values.trade_size_dispersion = sizes.length > 1 ? finite(deviation(sizes) / mean(sizes)) : null;
  values.pool_traders = new Set(hour.slice(-50).map(({ from }) => from)).size;
  const shares = [...groupBy(hour.slice(-50), ({ from }) => from).values()].map((of) => of.length / sizes.length);
  values.trader_concentration = sizes.length > 0 ? sum(shares.map((s) => s * s)) : null;
  const depth = hour.at(-1)?.depth0 ?? null;
  values.liquidity_depth = depth === null ? null : depth * (1 / Math.sqrt(0.98) - 1);
  const here = hour.slice(-50).filter(({ block }) => block === first.block);
  values.pool_swaps_in_block = here.length;
  values.same_side_in_block = here.filter(({ sells0 }) => sells0 === first.sells0).length;
}

function ofPair(first: Swap, before: readonly Swap[], values: Values): void {
  const recent = within(before, first.t, "1h").slice(-32);
  const latest = new Map(recent.map(({ pool, price }) => [pool, price])); // a later one replaces an earlier one
  const prices = [...latest.values()];
  values.dex_pools = latest.size;
  values.dex_count = new Set(recent.map(({ protocol }) => protocol)).size;
  values.dex_spread = prices.length > 1 ? (Math.max(...prices) - Math.min(...prices)) / 1e9 : null;
  const others = [...latest].filter(([pool]) => pool !== first.pool).map(([, price]) => price);
  values.dex_price_gap =
    latest.has(first.pool) && others.length > 0 ? (latest.get(first.pool)! - mean(others)) / 1e9 : null;
}

function ofToken({ sold: token, t }: Swap, before: readonly Swap[], values: Values): void {
  const hour = within(before, t, "1h");
  const sales = hour.filter(({ bought }) => bought === token).length;
  values.token_swaps_1h = hour.length;
  values.token_sale_share_1h = finite(sales / hour.length);
  const recent = hour.slice(-32);
  const pools = new Set(recent.map(({ pool }) => pool)).size;
  const traders = new Set(recent.map(({ from }) => from)).size;
  values.token_pools = pools;
  values.token_risk_score = finite((Math.max(0, 1 - (2 * sales) / hour.length) + 1 / pools + 1 / traders) / 3);
}

function ofHours({ swaps, sandwiches, arbitrages }: History, first: Swap, values: Values): void {
  const hour = first.t - (first.t % 3_600);
  const day = <T extends { t: number }>(events: readonly T[], until = hour): T[] =>
    events.filter(({ t }) => t >= until - 86_400 && t < until);
  const of = swaps.filter(({ pool }) => pool === first.pool);
  const volume = (some: readonly Swap[]): number => sum(some.map(({ amount0 }) => Number(amount0)));
  const any = day(of).length > 0;
  values.daily_volume = any ? volume(day(of)) : null;
  values.volume_change_24h = finite(volume(day(of)) / volume(day(of, hour - 86_400)) - 1);
  const attacks = day(sandwiches).filter(({ pool }) => pool === first.pool);
  values.sandwich_probability = any ? sum(attacks.map(({ victims }) => victims)) / day(of).length : null;
  values.pool_sandwiches = any ? attacks.length : null;
  values.pool_arbitrages = any ? day(arbitrages).filter(({ pools }) => pools.includes(first.pool)).length : null;
}
