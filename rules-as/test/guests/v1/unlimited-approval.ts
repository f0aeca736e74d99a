// Approvals without a limit: the spender may take every token of this kind, now and later.
import { Address, Severity, Tx, alert, describe, filter, selector, severity } from "@weir/rules";

describe("ERC-20 approvals of the largest amount, by approve, increaseAllowance or permit");
severity(Severity.Medium);

// A selector is the first four bytes of the input; its signature is hashed once, here.
const APPROVE = selector("approve(address,uint256)");
const INCREASE = selector("increaseAllowance(address,uint256)");
const PERMIT = selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)");
const DAI_PERMIT = selector("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)");

// Said again, a condition gets one more alternative.
filter
  .selector("approve(address,uint256)")
  .selector("increaseAllowance(address,uint256)")
  .selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)")
  .selector("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)");

export function onTx(tx: Tx): void {
  // arg(i) is the i-th 32-byte word after the selector; a word that is not there reads as zero.
  if (tx.selector == APPROVE || tx.selector == INCREASE) {
    if (tx.arg(1).asU256().isMax()) report(tx, tx.arg(0).asAddress());
  } else if (tx.selector == PERMIT) {
    if (tx.arg(2).asU256().isMax()) report(tx, tx.arg(1).asAddress());
  } else if (tx.selector == DAI_PERMIT) {
    if (tx.arg(4).asBool()) report(tx, tx.arg(1).asAddress()); // DAI's permit is all or nothing
  }
}

// There are no closures: what a function needs is handed to it.
function report(tx: Tx, spender: Address): void {
  alert(Severity.Medium, `unlimited approval of ${tx.to} to ${spender}`);
}
