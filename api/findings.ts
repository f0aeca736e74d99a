/** Swaps, arbitrages, sandwiches and liquidations as the public sees them: with the members that `weir detect` gives them. */
import { z } from "@hono/zod-openapi";
import { STRATEGIES } from "../clickhouse/queries/arbitrageTransactions.ts";
import type { ArbitrageRow, LiquidationRow, SandwichRow, SwapRow } from "../clickhouse/queries/findingLists.ts";
import { toNumber } from "./numbers.ts";
import { describe } from "./statistics/fields.ts";

const amount = (what: string) => describe(z.string(), `${what}, smallest unit, decimal text`);
const amountOrNull = (what: string) => describe(z.string().nullable(), `${what}, smallest unit, decimal text`);
const wei = (what: string) => describe(z.string().nullable(), `${what}, wei as decimal text`);

const findingFields = {
  chain_id: z.int(),
  block_number: z.int(),
  block_hash: z.string().nullable(),
  block_timestamp: z.string().nullable(),
  tx_hash: z.string(),
  from_address: describe(z.string(), "sender of the transaction"),
  to_address: describe(z.string().nullable(), "recipient of the transaction"),
  log_index: describe(z.int(), "of the log that says so, or the first of them"),
  status: describe(
    z.enum(["provisional", "confirmed"]),
    "provisional: not all of the block was there, or its chain may still replace it",
  ),
  confidence: describe(z.enum(["high", "medium", "low"]), "how sure it is, see engine/chain/README.md"),
  reason: describe(z.string(), "why so, in words"),
  evidence: describe(z.array(z.int()), "indexes of the logs of the block that it was read from"),
  detected_at: z.string(),
};

const profitFields = {
  profit_token: z.string(),
  gas_cost: wei("gas of what the searcher sent for it"),
  fee_recipient_payment: wei("paid to the block's fee recipient beside gas"),
  payments_complete: describe(
    z.boolean().nullable(),
    "a trace showed what contracts sent; if not, net_profit is an upper bound",
  ),
  net_profit: wei("profit less gas and payments; null where one of them is not known in wei"),
  roi_percent: describe(z.number().nullable(), "net profit by what was put in"),
  gross_usd: describe(z.number().nullable(), "profit in USD; null where its token has no price"),
  gross_usd_raw: describe(z.string().nullable(), "gross_usd, exact to a millionth, decimal text"),
  net_usd: describe(z.number().nullable(), "net profit in USD"),
  net_usd_raw: describe(z.string().nullable(), "net_usd, exact to a millionth, decimal text"),
};

const poolFields = { protocol: z.string(), pool: describe(z.string(), "contract; of pools in one vault their id") };

export const swapSchema = z
  .object({
    ...findingFields,
    ...poolFields,
    sender: describe(z.string(), "who paid the pool"),
    recipient: describe(z.string(), "who was paid by it"),
    token_in: z.string(),
    amount_in: amount("what the pool received"),
    token_out: z.string(),
    amount_out: amount("what it paid out"),
    provenance: describe(z.enum(["log", "pool", "transfers"]), "where the tokens are known from"),
  })
  .openapi("Swap");

export const arbitrageSchema = z
  .object({
    ...findingFields,
    definition: describe(z.enum(["cycle", "router"]), "cycle: a closed route of one account; router: swaps by a known router's method"), // biome-ignore format: one line
    account: describe(z.string(), "who swapped"),
    strategy: describe(z.enum(STRATEGIES), "swaps of the route"),
    ...profitFields,
    start_amount: amount("put in"),
    end_amount: amount("got out"),
    profit_amount: amountOrNull("end less start, gas not deducted; null where the route ends in another token"),
    route: z.array(
      z.object({ log_index: z.int(), protocol: z.string(), pool: z.string(), token_in: z.string() }).openapi("RouteStep"),
    ),
  })
  .openapi("Arbitrage"); // biome-ignore format: a member a line

export const sandwichSchema = z
  .object({
    ...findingFields,
    ...poolFields,
    sandwicher: z.string(),
    frontrun_txs: z.array(z.string()),
    victim_txs: z.array(z.string()),
    backrun_txs: z.array(z.string()),
    frontrun_in: amount("what the frontruns put into the pool"),
    frontrun_out: amount("what they got"),
    backrun_in: amount("what the backruns put into the pool"),
    backrun_out: amount("what they got"),
    ...profitFields,
    profit_amount: amountOrNull("what the backruns got less what the frontruns put in, gas not deducted"),
    victim_losses: z.array(
      z
        .object({
          tx_hash: z.string(),
          token: z.string(),
          amount: amountOrNull("how much less the victim got; null where it cannot be computed"),
        })
        .openapi("VictimLoss"),
    ),
  })
  .openapi("Sandwich");

export const liquidationSchema = z
  .object({
    ...findingFields,
    ...poolFields,
    liquidator: describe(z.string(), "who paid"),
    user: describe(z.string(), "whose debt it was"),
    debt_token: z.string(),
    debt_amount: amount("what was paid"),
    collateral_token: z.string(),
    collateral_amount: amount("what was got for it"),
  })
  .openapi("Liquidation");

/** A hundred rows with spreads in their literals, as `{ ...finding, pool }`, take 1 ms; assigned to each other, 0.1. */
function toFinding(row: SwapRow | ArbitrageRow | SandwichRow | LiquidationRow) {
  const { block_hash, block_timestamp, tx_hash, from_address, to_address, log_index, status, reason, detected_at } = row; // biome-ignore format: one line
  return {
    chain_id: Number(row.chain_id),
    block_number: Number(row.block_number),
    block_hash,
    block_timestamp,
    tx_hash,
    from_address,
    to_address,
    log_index,
    status,
    reason,
    detected_at,
    confidence: row.confidence as z.infer<typeof swapSchema>["confidence"],
    evidence: [...row.evidence],
  };
}

function toProfit(row: ArbitrageRow | SandwichRow) {
  const { profit_token, profit_amount, gas_cost, fee_recipient_payment, payments_complete, net_profit, roi_percent, gross_usd, net_usd } = row; // biome-ignore format: one line
  return {
    profit_token,
    profit_amount,
    gas_cost,
    fee_recipient_payment,
    payments_complete,
    net_profit,
    roi_percent,
    gross_usd: toNumber(gross_usd),
    gross_usd_raw: gross_usd,
    net_usd: toNumber(net_usd),
    net_usd_raw: net_usd,
  };
}

export function toSwap(row: SwapRow): z.infer<typeof swapSchema> {
  const { protocol, pool, sender, recipient, token_in, amount_in, token_out, amount_out } = row;
  return Object.assign(toFinding(row), {
    protocol,
    pool,
    sender,
    recipient,
    token_in,
    amount_in,
    token_out,
    amount_out,
    provenance: row.provenance as z.infer<typeof swapSchema>["provenance"],
  });
}

export function toArbitrage(row: ArbitrageRow): z.infer<typeof arbitrageSchema> {
  const { definition, account, start_amount, end_amount, route_logs } = row;
  return Object.assign(
    toFinding(row),
    {
      definition,
      account,
      start_amount,
      end_amount,
      strategy: STRATEGIES[Math.min(route_logs.length, 5) - 2]!,
    },
    toProfit(row),
    {
      route: route_logs.map((log_index, i) => ({
        log_index,
        protocol: row.route_protocols[i]!,
        pool: row.route_pools[i]!,
        token_in: row.route_tokens[i]!,
      })),
    },
  );
}

export function toSandwich(row: SandwichRow): z.infer<typeof sandwichSchema> {
  const { protocol, pool, sandwicher, frontrun_in, frontrun_out, backrun_in, backrun_out } = row;
  return Object.assign(
    toFinding(row),
    {
      protocol,
      pool,
      sandwicher,
      frontrun_in,
      frontrun_out,
      backrun_in,
      backrun_out,
      frontrun_txs: [...row.frontrun_txs],
      victim_txs: [...row.victim_txs],
      backrun_txs: [...row.backrun_txs],
    },
    toProfit(row),
    {
      victim_losses: row.loss_txs.map((tx_hash, i) => ({
        tx_hash,
        token: row.loss_tokens[i]!,
        amount: row.loss_amounts[i]!,
      })),
    },
  );
}

export function toLiquidation(row: LiquidationRow): z.infer<typeof liquidationSchema> {
  const { protocol, pool, liquidator, user, debt_token, debt_amount, collateral_token, collateral_amount } = row;
  return Object.assign(toFinding(row), {
    protocol,
    pool,
    liquidator,
    user,
    debt_token,
    debt_amount,
    collateral_token,
    collateral_amount,
  });
}
