// what each kind of list says of a transaction; declared twice, a list has one number
import { Severity, Tx, addressList, alert, filter, selectorList, topicList } from "@weir/rules";

const SANCTIONED = addressList("sanctioned");
const EVENTS = topicList("events");
const CALLS = selectorList("calls");
const AGAIN = addressList("sanctioned");

filter.where('{"from_not_in_list": "friends"}');

export function onTx(tx: Tx): void {
  let events = 0;
  for (let i: u32 = 0; i < tx.logCount; ++i) if (EVENTS.has(tx.log(i).topic(0))) ++events;
  const to = SANCTIONED.has(tx.to) && AGAIN.has(tx.to);
  const argument = tx.hasArg(0) && SANCTIONED.has(tx.arg(0).asAddress());
  alert(Severity.Info, `${to} ${argument} ${CALLS.has(tx.selector)} ${events}`);
}
