import type { Block } from "../../clickhouse/native.ts";
import {
  encodeFindings,
  FINDING_PARTS,
  type FindingRow,
  type FindingTable,
  type PlaceRow,
  type ProfitRow,
} from "../../clickhouse/tables/findings.ts";
import type { BatchBlock } from "../chain/blocks.ts";
import type {
  ArbitrageFinding,
  JitFinding,
  LiquidationFinding,
  Profit,
  SandwichFinding,
  SwapFinding,
} from "../chain/finding.ts";
import { has, u32At, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { type RouteColumns, routeColumns } from "./arbitrageTransactions.ts";
import type { Decoded } from "./decode.ts";
import type { BlockFindings } from "./findings.ts";
import { usdColumn } from "./usdColumn.ts";

/** A block of rows for each table that has any, in the order of the blocks and findings. */
export function encodeFound(decoded: Decoded, found: readonly BlockFindings[]): Partial<Record<FindingTable, Block[]>> {
  const rows: { [T in FindingTable]?: FindingRow<T>[] } = {};
  const add = <T extends FindingTable>(table: T, row: FindingRow<T>): void => {
    (rows[table] ??= [] as never[]).push(row as never);
  };
  for (const { block, findings } of found) {
    const status = block.complete ? "confirmed" : "provisional"; // as in findingJson.ts
    const hash = (transaction: number): Uint8Array => viewOf(block, transaction, OFFSET.hash, 32);
    const routes = routeColumns(block, findings);
    let place: PlaceRow | undefined;
    let placed = -1;
    for (const finding of findings) {
      const { transaction, confidence, reason, evidence } = finding;
      if (transaction !== placed) place = placeOf(decoded, block, transaction);
      placed = transaction;
      const judged = { status, confidence, reason, evidence };
      switch (finding.kind) {
        case "swap":
          add("swaps", [place!, swapColumns(finding), judged]);
          break;
        case "arbitrage":
          add("arbitrages", arbitrageRow(place!, finding, routes.get(finding)!, judged));
          break;
        case "sandwich":
          add("sandwiches", [place!, sandwichColumns(finding, hash), profitColumns(finding.profit), judged]);
          break;
        case "liquidation":
          add("liquidations", [place!, liquidationColumns(finding), judged]);
          break;
        case "jit":
          add("jit_liquidity", [place!, jitColumns(finding, hash), judged]);
          break;
        case "attempt":
          add("failed_attempts", [place!, { searcher: finding.searcher }, judged]);
      }
    }
  }
  const tables: Partial<Record<FindingTable, Block[]>> = {};
  for (const table of Object.keys(FINDING_PARTS) as FindingTable[])
    if (rows[table]) tables[table] = [encodeFindings(table, rows[table] as never)];
  return tables;
}

export function placeOf(decoded: Decoded, block: BatchBlock, transaction: number): PlaceRow {
  const i = block.numbers[transaction]!;
  const frame = block.frames[transaction]!;
  const given = (bit: number): boolean => has(block, frame, bit);
  const view = (offset: number, width: number): Uint8Array =>
    block.bytes.subarray(frame + offset, frame + offset + width);
  return {
    source: decoded.source,
    partition: decoded.partition,
    offset: decoded.offsets[i]!,
    n: decoded.indexes[i]!,
    event_time: decoded.events[i]!,
    chain_id: block.chainId,
    block_number: block.blockNumber,
    block_hash: given(PRESENT.blockHash) ? view(OFFSET.blockHash, 32) : null,
    block_timestamp: given(PRESENT.blockTimestamp) ? u64AsNumber(block, frame + OFFSET.blockTimestamp) : null,
    transaction_index: given(PRESENT.transactionIndex) ? u32At(block, frame + OFFSET.transactionIndex) : null,
    tx_hash: view(OFFSET.hash, 32),
    tx_from: view(OFFSET.from, 20),
    tx_to: given(PRESENT.to) ? view(OFFSET.to, 20) : null,
  };
}

function viewOf({ bytes, frames }: BatchBlock, transaction: number, offset: number, width: number): Uint8Array {
  const at = frames[transaction]! + offset;
  return bytes.subarray(at, at + width);
}

/** A pool is an address or an id: its column is a String of the bytes. */
const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.slice(2), "hex");

function swapColumns(swap: SwapFinding) {
  const { after } = swap;
  const [reserves, price] = after && "tick" in after ? [undefined, after] : [after, undefined];
  return {
    log_index: swap.logIndex,
    protocol: swap.protocol,
    pool: bytesOf(swap.pool),
    sender: swap.from,
    recipient: swap.to,
    token_in: swap.tokenIn,
    amount_in: swap.amountIn,
    token_out: swap.tokenOut,
    amount_out: swap.amountOut,
    provenance: swap.provenance,
    reserve0: reserves?.reserve0 ?? null,
    reserve1: reserves?.reserve1 ?? null,
    sqrt_price_x96: price?.sqrtPriceX96 ?? null,
    liquidity: price?.liquidity ?? null,
    tick: price?.tick ?? null,
  };
}

const arbitrageRow = (
  place: PlaceRow,
  finding: ArbitrageFinding,
  routes: RouteColumns,
  judged: FindingRow<"arbitrages">[4],
): FindingRow<"arbitrages"> => [
  place,
  arbitrageColumns(finding, routes),
  profitColumns(finding.profit),
  routes,
  judged,
];

const arbitrageColumns = (finding: ArbitrageFinding, { route }: RouteColumns) => ({
  log_index: finding.logIndex,
  definition: finding.definition,
  route,
  account: finding.account,
  profit_token: finding.profitToken,
  start_amount: finding.startAmount,
  end_amount: finding.endAmount,
  profit_amount: finding.profitAmount,
  route_logs: finding.route.map(({ logIndex }) => logIndex),
  route_protocols: finding.route.map(({ protocol }) => protocol),
  route_pools: finding.route.map(({ pool }) => bytesOf(pool)),
  route_tokens: finding.route.map(({ tokenIn }) => tokenIn),
});

const sandwichColumns = (finding: SandwichFinding, hash: (transaction: number) => Uint8Array) => ({
  log_index: finding.logIndex,
  protocol: finding.protocol,
  pool: bytesOf(finding.pool),
  sandwicher: finding.sandwicher,
  frontrun_txs: finding.frontruns.map(hash),
  victim_txs: finding.victims.map(hash),
  backrun_txs: finding.backruns.map(hash),
  frontrun_in: finding.frontrunIn,
  frontrun_out: finding.frontrunOut,
  backrun_in: finding.backrunIn,
  backrun_out: finding.backrunOut,
  profit_token: finding.profitToken,
  profit_amount: finding.profitAmount,
  loss_txs: finding.victimLosses.map(({ transaction }) => hash(transaction)),
  loss_tokens: finding.victimLosses.map(({ token }) => token),
  loss_amounts: finding.victimLosses.map(({ amount }) => amount),
});

const liquidationColumns = (finding: LiquidationFinding) => ({
  log_index: finding.logIndex,
  protocol: finding.protocol,
  pool: finding.pool,
  liquidator: finding.liquidator,
  user_address: finding.user,
  debt_token: finding.debtToken,
  debt_amount: finding.debtAmount,
  collateral_token: finding.collateralToken,
  collateral_amount: finding.collateralAmount,
});

const jitColumns = (finding: JitFinding, hash: (transaction: number) => Uint8Array) => ({
  log_index: finding.logIndex,
  protocol: finding.protocol,
  pool: bytesOf(finding.pool),
  provider: finding.provider,
  swap_txs: finding.swapTransactions.map(hash),
  burn_tx: hash(finding.burnTransaction),
  liquidity: finding.liquidity,
});

const NO_PROFIT: ProfitRow = {
  gas_cost: null,
  fee_recipient_payment: null,
  payments_complete: null,
  net_profit: null,
  roi_percent: null,
  gross_usd: null,
  net_usd: null,
};

const profitColumns = (profit: Profit | undefined): ProfitRow =>
  profit
    ? {
        gas_cost: profit.gasCost,
        fee_recipient_payment: profit.feeRecipientPayment,
        payments_complete: profit.paymentsComplete,
        net_profit: profit.net,
        roi_percent: profit.roiPercent,
        gross_usd: usdColumn(profit.grossUsd),
        net_usd: usdColumn(profit.netUsd),
      }
    : NO_PROFIT;
