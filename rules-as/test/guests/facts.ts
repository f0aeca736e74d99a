// All that the SDK has of facts, as one text.
import { Severity, Tx, alert } from "@weir/rules";

export function onTx(tx: Tx): void {
  let text = `${tx.swapCount} ${tx.sandwichRole} ${tx.risk} ${tx.isRouterArbitrage} ${tx.isFailedAttempt} ${tx.arbitrage != null}`;
  for (let i: u32 = 0; i < tx.swaps.length; ++i) {
    const s = tx.swaps[i];
    text += `|swap ${s.logIndex} ${s.confidence} ${s.protocol} ${s.protocolIs("uniswap_v2")} ${s.protocolIs("uniswap_v")} ${s.tokenIn} ${s.amountOut} ${s.hasPoolId}`;
  }
  for (let i: u32 = 0; i < tx.arbitrages.length; ++i) {
    const a = tx.arbitrages[i];
    text += `|arbitrage ${a.hops} ${a.hasProfit} ${a.profit} ${a.hasLoss}`;
  }
  for (let i: u32 = 0; i < tx.liquidations.length; ++i) text += `|liquidation ${tx.liquidations[i].user} ${tx.liquidations[i].debtAmount}`;
  for (let i: u32 = 0; i < tx.jits.length; ++i) text += `|jit ${tx.jits[i].role} ${tx.jits[i].hasPoolId} ${tx.jits[i].poolId}`;
  alert(Severity.Info, text);
}
