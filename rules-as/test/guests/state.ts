// what each kind of state says of a transaction, as one text; a nonce of 13 fails after it has written
import { Address, Bytes32, Severity, Tx, U256, alert, counter, counterOf, window, windowOf } from "@weir/rules";

const seen = counter("seen");
const net = counterOf<i64, Address>("net");
const share = counterOf<f64, Address>("share");
const received = counterOf<U256, Address>("received");
const volume = windowOf<U256, Address>("volume", 3600);
const busy = window("busy", 60, 6);
const byHash = counterOf<u64, Bytes32>("by-hash");
const confirmed = window("confirmed", 60, 6).minedOnly();

export function onTx(tx: Tx): void {
  if (tx.nonce == 99) {
    alert(Severity.Info, `${confirmed.add(tx.from, 2)} ${seen.add(tx.from, 1)}`);
    return;
  }
  const n = seen.add(tx.from, 1);
  const v = volume.add(tx.from, tx.value);
  const b = busy.add(tx.from, 1);
  const s = share.add(tx.from, 0.5);
  const r = received.add(tx.to, tx.value);
  net.add(tx.to, 1);
  net.add(tx.from, -1);
  const h = byHash.add(tx.hash, 1);
  if (tx.nonce == 13) throw new Error("unlucky");
  if (tx.nonce == 7) seen.set(tx.from, 0);
  alert(Severity.Info, `${n} ${v} ${b} ${s} ${r} ${net.get(tx.from)} ${h} ${seen.get(tx.from)} ${volume.sum(tx.from)} ${busy.sum(tx.to)}`);
}
