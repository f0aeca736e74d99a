// Arbitrages that paid and that nobody had reported pending: what the engine found of a transaction, as a rule reads it.
import { Severity, Tx, alert, amount, counter, describe, filter, nameOf, severity, tag } from "@weir/rules";

describe("An arbitrage that paid and that nobody reported pending, with the account's number of them");
severity(Severity.Low);

// Asked of what was found before the rule is run: what made no arbitrage costs nothing.
filter.where('{"and": [{"isArbitrage": true}, {"arbitrage.profit_gt": 0}, {"not": {"seenPendingFor_gt": 0}}]}');

const made = counter("made"); // by account; in the order of the stream, and exactly once

export function onTx(tx: Tx): void {
  const arbitrage = tx.arbitrage; // the first one; tx.arbitrages has all
  if (arbitrage == null) return;
  const n = made.add(arbitrage.account, 1);
  const level = tx.risk >= 50 ? Severity.Medium : Severity.Low;
  const profit = amount(arbitrage.profit, arbitrage.token);
  alert(level, `${nameOf(arbitrage.account)} earned ${profit} over ${arbitrage.hops} swaps, its arbitrage ${n}; risk ${tx.risk}`);
  for (let i: u32 = 0; i < tx.swaps.length; ++i) tag(tx.swaps[i].protocol);
}
