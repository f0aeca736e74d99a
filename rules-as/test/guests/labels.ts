// Says of each Transfer how much of what went to whom.
import { AbiData, Severity, Tx, alert, amount, nameOf, topic } from "@weir/rules";

const TRANSFER = topic("Transfer(address,address,uint256)");

export function onTx(tx: Tx): void {
  for (let i: u32 = 0; i < tx.logCount; ++i) {
    const log = tx.log(i);
    if (!log.is(TRANSFER) || log.topicCount != 3) continue;
    const value = AbiData.of(log.data).word(0).asU256();
    alert(Severity.Info, `${amount(value, log.address)} to ${nameOf(log.topic(2).asAddress())}`);
  }
}
