import { hexAt } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";
import type { ArbitrageFinding, Finding, Profit } from "./finding.ts";
import type { Swap } from "./swap.ts";

/** A finding as the public sees it: snake_case, amounts as decimal strings, hex in lower case. */
export type FindingRecord = Readonly<Record<string, unknown>>;

/**
 * One line of `weir detect` and of the topics, without its line feed: the same finding gives the same bytes.
 *
 *     {"kind":"swap","chain_id":1,"block_number":10760440,"tx_hash":"0x…","log_index":5,"protocol":"uniswap_v2","pool":"0x…", …}
 */
export const findingJson = (view: BlockView, finding: Finding): string => JSON.stringify(findingRecord(view, finding));

/** The line as an object. @param view the block view in which the finding was made */
export function findingRecord(view: BlockView, finding: Finding): FindingRecord {
  const hash = (transaction: number): string => hexAt(view, view.frames[transaction]! + OFFSET.hash, 32);
  const { kind, confidence, reason, evidence, logIndex } = finding;
  const [first, own] = fieldsOf(finding, hash);
  return {
    kind,
    ...(kind === "arbitrage" && { definition: finding.definition }),
    chain_id: view.chainId,
    block_number: view.blockNumber,
    tx_hash: hash(finding.transaction),
    log_index: logIndex < 0 ? null : logIndex,
    ...first,
    ...own,
    confidence,
    reason,
    evidence,
    // What is missing of the block could change what is said of it.
    status: view.complete ? "confirmed" : "provisional",
  };
}

type Fields = Record<string, unknown>;

/** [protocol and pool, what the kind has of its own] */
function fieldsOf(finding: Finding, hash: (transaction: number) => string): [Fields, Fields] {
  switch (finding.kind) {
    case "swap": {
      const { protocol, pool, from, to, provenance } = finding;
      return [
        { protocol, pool },
        { ...trade(finding), from, to, provenance },
      ];
    }
    case "arbitrage": {
      const { account, profitToken, startAmount, endAmount, profitAmount, route, profit } = finding;
      return [
        { protocol: route[0]!.protocol, pool: route[0]!.pool },
        {
          account,
          strategy: strategyOf(finding),
          profit_token: profitToken,
          start_amount: `${startAmount}`,
          end_amount: `${endAmount}`,
          profit_amount: text(profitAmount),
          route: route.map((swap) => ({
            log_index: swap.logIndex,
            protocol: swap.protocol,
            pool: swap.pool,
            ...trade(swap),
          })),
          ...profitFields(profit),
        },
      ];
    }
    case "sandwich": {
      const { protocol, pool, sandwicher, frontruns, victims, backruns, profitToken, profitAmount, profit } = finding;
      return [
        { protocol, pool },
        {
          sandwicher,
          frontrun_tx: hash(frontruns[0]!),
          victim_txs: victims.map(hash),
          backrun_tx: hash(backruns[0]!),
          // Layers: all of them, where there is more than one.
          ...(frontruns.length > 1 && { frontrun_txs: frontruns.map(hash) }),
          ...(backruns.length > 1 && { backrun_txs: backruns.map(hash) }),
          frontrun_in: `${finding.frontrunIn}`,
          frontrun_out: `${finding.frontrunOut}`,
          backrun_in: `${finding.backrunIn}`,
          backrun_out: `${finding.backrunOut}`,
          profit_token: profitToken,
          profit_amount: `${profitAmount}`,
          victim_losses: finding.victimLosses.map(({ transaction, token, amount }) => ({
            tx_hash: hash(transaction),
            token,
            amount: text(amount),
          })),
          ...profitFields(profit),
        },
      ];
    }
    case "liquidation": {
      const { protocol, pool, liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount } = finding;
      return [
        { protocol, pool },
        {
          liquidator,
          user,
          debt_token: debtToken,
          debt_amount: `${debtAmount}`,
          collateral_token: collateralToken,
          collateral_amount: `${collateralAmount}`,
        },
      ];
    }
    case "jit": {
      const { protocol, pool, provider, mintTransaction, swapTransactions, burnTransaction, liquidity } = finding;
      return [
        { protocol, pool },
        {
          provider,
          mint_tx: hash(mintTransaction),
          swap_txs: swapTransactions.map(hash),
          burn_tx: hash(burnTransaction),
          liquidity: `${liquidity}`,
        },
      ];
    }
    case "attempt":
      return [{ protocol: null, pool: null }, { searcher: finding.searcher }];
  }
}

const trade = ({ tokenIn, amountIn, tokenOut, amountOut }: Swap): Fields => ({
  token_in: tokenIn,
  amount_in: `${amountIn}`,
  token_out: tokenOut,
  amount_out: `${amountOut}`,
});

/** As seed 002 names them. */
export const strategyOf = ({ route }: Pick<ArbitrageFinding, "route">): string =>
  route.length > 4 ? "N-hop" : `${route.length}-hop`;

function profitFields(profit: Profit | undefined): Fields {
  if (!profit) return {};
  return {
    gas_cost: text(profit.gasCost),
    fee_recipient_payment: text(profit.feeRecipientPayment),
    net_profit: text(profit.net),
    net_is_upper_bound: !profit.paymentsComplete,
    roi_percent: profit.roiPercent,
    gross_usd: profit.grossUsd,
    net_usd: profit.netUsd,
  };
}

const text = (amount: bigint | null): string | null => (amount === null ? null : `${amount}`);
