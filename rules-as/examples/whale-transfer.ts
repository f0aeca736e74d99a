// Large transfers of a chain's own coin: 100 and more, high from 1,000 on.
import { Tx, Severity, alert, describe, ether, filter, formatEther, param, severity, tag } from "@weir/rules";

// Top-level statements run once, when the rule is loaded. Parameters and filter become the rule's manifest.
describe("Transfers of at least 100 of the chain's own coin");
severity(Severity.Medium);
const threshold = param.u256("threshold", ether(100), "wei; smaller transfers do not reach the rule");
const high = param.u256("high", ether(1000), "wei; from here on the severity is high");

// The engine checks the filter before the rule, in one index for all rules: what does not match costs nothing.
filter.minValue(threshold);

// Chains whose own coin is ether.
const ETHER: StaticArray<u64> = [
  1, 10, 130, 288, 324, 480, 1101, 8453, 31337, 34443, 42161, 42170, 57073, 59144, 81457, 84532, 534352, 11155111,
];

export function onTx(tx: Tx): void {
  if (tx.failed) return; // the value went back
  const level = tx.value >= high ? Severity.High : Severity.Medium;
  const to = tx.isCreation ? "a new contract" : tx.to.toString();
  const coin = ETHER.includes(tx.chainId) ? "ETH" : `of the coin of chain ${tx.chainId}`;
  alert(level, `${formatEther(tx.value, 18)} ${coin} from ${tx.from} to ${to}`); // all 18 decimals: exact
  tag("whale");
}
