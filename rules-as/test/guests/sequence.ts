// counts each sender's transactions, and reports every fifth
import { Severity, Tx, alert, counter, describe, score, tag, window } from "@weir/rules";

describe("Every fifth transaction of a sender");
const sent = counter("sent");
const lately = window("lately", 60);

export function onTx(tx: Tx): void {
  const n = sent.add(tx.from, 1);
  const recent = lately.add(tx.from, 1);
  if (n % 5 == 0) {
    alert(Severity.Info, `${tx.from} ${n} ${recent}`);
    tag("fifth");
    score(0.5);
  }
}
