/**
 * Amounts and addresses in messages, as people read them: "12.3 WETH to Uniswap V2: Router". A rule knows no names: what it writes here is
 * a mark with the exact value, and whoever reads the alert sees it with the labels of that moment.
 */
import { Address } from "./bytes";
import { U256 } from "./u256";

/** So much of a token, in its smallest unit: `amount(transfer.value, log.address)` reads "12.3 WETH". Of the chain's own coin the token is the zero address. */
export function amount(value: U256, token: Address): string {
  return `{${value} of ${token}}`;
}

/** What the address is called, or `0xc02a…6cc2`. */
export function nameOf(address: Address): string {
  return `{${address}}`;
}
