// Everything one address does: it sends, it is called, or tokens move from or to it.
import { Severity, Tx, alert, describe, param, severity, tag, topic } from "@weir/rules";

describe("A watched address is sender, recipient, or party of a token transfer");
severity(Severity.Info);

// The default is Binance's largest hot wallet ("Binance 14"): flows in and out of it are exchange flows.
const watched = param.address("watched", "0x28c6c06298d514db089934071355e5743bf21d60", "the address to watch");

const TRANSFER = topic("Transfer(address,address,uint256)");

// No filter: a filter is a conjunction, and this rule wants any of three. It sees every transaction, so the cheap
// questions come first and it stops at the first answer.
export function onTx(tx: Tx): void {
  if (tx.from == watched) return report("sender", `sent by ${tx.from}`);
  if (tx.hasTo && tx.to == watched) return report("recipient", `sent to ${tx.to}`);
  for (let i: u32 = 0; i < tx.logCount; ++i) {
    const log = tx.log(i);
    if (!log.is(TRANSFER)) continue;
    if (log.topicCount < 3) continue; // a token that does not index the parties
    if (log.topic(1).asAddress() == watched) return report("token-out", `token ${log.address} moved out of ${watched}`);
    if (log.topic(2).asAddress() == watched) return report("token-in", `token ${log.address} moved in to ${watched}`);
  }
}

function report(role: string, message: string): void {
  alert(Severity.Info, message);
  tag(role);
}
