// Who rules a contract has changed: its owner, its code behind a proxy, the proxy's admin, or a role.
import { Address, Log, Severity, Tx, alert, describe, filter, severity, topic } from "@weir/rules";

describe("Owner, implementation, admin or role of a contract changed");
severity(Severity.High);

// Topic 0 of a log is the hash of the event's signature.
const OWNER = topic("OwnershipTransferred(address,address)");
const UPGRADED = topic("Upgraded(address)");
const ADMIN = topic("AdminChanged(address,address)");
const ROLE = topic("RoleGranted(bytes32,address,address)");

filter
  .topic("OwnershipTransferred(address,address)")
  .topic("Upgraded(address)")
  .topic("AdminChanged(address,address)")
  .topic("RoleGranted(bytes32,address,address)");

export function onTx(tx: Tx): void {
  // One alert a log. A transaction may write 4 KiB of results; what comes after is left out and tagged `truncated`. Then
  // alert gives false, and going on would only burn fuel: somebody's thousand logs must not make this rule fail.
  for (let i: u32 = 0; i < tx.logCount; ++i) {
    if (!report(tx.log(i))) return;
  }
}

function report(log: Log): bool {
  if (log.is(OWNER)) return changed(log, "owner");
  if (log.is(ADMIN)) return changed(log, "admin");
  if (log.is(UPGRADED)) return alert(Severity.High, `${log.address} upgraded to ${party(log, 0)}`);
  if (log.is(ROLE)) return alert(Severity.Medium, `${log.address} granted role ${log.topic(1)} to ${log.topic(2).asAddress()}`);
  return true;
}

// A contract that has just been made gets its first owner, or one is named again: worth knowing, no reason to wake anybody.
function changed(log: Log, what: string): bool {
  const before = party(log, 0);
  const after = party(log, 1);
  if (before == after) return alert(Severity.Low, `${what} of ${log.address} is ${after}, as before`);
  if (before.isZero) return alert(Severity.Low, `first ${what} of ${log.address} is ${after}`);
  return alert(Severity.High, `${what} of ${log.address} changed from ${before} to ${after}`);
}

// Argument `i` of an event: some contracts index their addresses (topics), some do not (words of the data).
function party(log: Log, i: u32): Address {
  const indexed = log.topicCount - 1;
  return i < indexed ? log.topic(i + 1).asAddress() : log.word(i - indexed).asAddress();
}
