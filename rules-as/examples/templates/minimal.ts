// Approvals without a limit: the spender may take every token of a kind, now and later.
import { Severity, Tx, alert, describe, filter } from "@weir/rules";

describe("ERC-20 approvals of the largest amount");

// Declared: only such transactions ever reach the rule, and the others cost it nothing.
filter.selector("approve(address,uint256)");

export function onTx(tx: Tx): void {
  const amount = tx.arg(1).asU256();
  if (amount.isMax()) alert(Severity.Medium, `unlimited approval of ${tx.to} to ${tx.arg(0).asAddress()}`);
}
