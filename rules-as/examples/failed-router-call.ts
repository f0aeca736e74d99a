// Swaps that failed: reverted calls to the routers of the big exchanges, or with the selector of a router's swap, which
// finds the routers of other chains and of forks too. Many of them for one token can mean a trap or a rush.
import { Severity, Tx, addressSet, alert, describe, filter, formatEther, selector, severity, tag } from "@weir/rules";

describe("Reverted call to a known router, or with a router's swap selector");
severity(Severity.Low);

// Only a mined transaction can have failed; the receipt says so.
filter.failed();

// A table of known addresses, and the labels in the same order.
const ROUTERS = addressSet([
  "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
  "0xe592427a0aece92de3edee1f18e0157c05861564",
  "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45",
  "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b",
  "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
  "0x66a9893cc07d91d95644aedd05d03f95e1dba8af",
  "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f",
  "0x11111112542d85b3ef69ae05771c2dccff4faa26",
  "0x1111111254fb6c44bac0bed2854e76f90643097d",
  "0x1111111254eeb25477b68fb85ed929f73a960582",
  "0x111111125421ca6dc452d289314280a0f8842a65",
  "0xdef1c0ded9bec7f1a1670819833240f027b25eff",
]);
const NAMES: string[] = [
  "Uniswap V2 Router", "Uniswap V3 Router", "Uniswap V3 Router 2", "Uniswap Universal Router", "Uniswap Universal Router 1.2",
  "Uniswap Universal Router 2", "SushiSwap Router", "1inch v3", "1inch v4", "1inch v5", "1inch v6", "0x Exchange Proxy",
];

// Selectors that only routers have. `multicall` is left out: too many other contracts have it.
const SWAPS: u32[] = [
  selector("swapExactETHForTokens(uint256,address[],address,uint256)"),
  selector("swapExactTokensForETH(uint256,uint256,address[],address,uint256)"),
  selector("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"),
  selector("swapETHForExactTokens(uint256,address[],address,uint256)"),
  selector("swapTokensForExactETH(uint256,uint256,address[],address,uint256)"),
  selector("swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"),
  selector("swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)"),
  selector("swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"),
  selector("swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"),
  selector("exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"),
  selector("exactInput((bytes,address,uint256,uint256,uint256))"),
  selector("exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"),
  selector("exactOutput((bytes,address,uint256,uint256,uint256))"),
  selector("execute(bytes,bytes[],uint256)"),
];

export function onTx(tx: Tx): void {
  const known = tx.hasTo ? ROUTERS.indexOf(tx.to) : -1;
  if (known < 0 && !SWAPS.includes(tx.selector)) return;
  const router = known < 0 ? "a router" : NAMES[known];
  alert(Severity.Low, `call to ${router} ${tx.to} failed, ${formatEther(tx.fee, 6)} paid for gas`);
  tag("failed-swap");
}
