/**
 * Messages as people read them. A rule leaves marks where an amount or an address is to be named, and they are filled in when the message
 * is read, so that what a batch comes to never depends on what somebody has called an address since:
 *
 *     {12300000000000000000 of 0xc02a…6cc2 in full} → {0x7a25…488d in full}   as it is stored, and on topics
 *     12.3 WETH → Uniswap V2: Router                                          as it is shown
 */
import type { Label } from "./label.ts";

const MARK = /\{(?:(\d{1,78}) of )?(0x[0-9a-f]{40})\}/g;

/** The addresses that a message has marks of. */
export const markedAddresses = (message: string): string[] =>
  [...message.matchAll(MARK)].map(([, , address]) => address!);

/** @param labelOf of an address of the message's chain */
export const renderMessage = (message: string, labelOf: (address: string) => Label | undefined): string =>
  message.replace(MARK, (_, amount: string | undefined, address: string) => {
    const label = labelOf(address);
    if (amount === undefined) return label?.name ?? shortAddress(address);
    if (!label || label.decimals === null) return `${amount} of ${label?.name ?? shortAddress(address)}`;
    return `${formatAmount(BigInt(amount), label.decimals)} ${label.symbol}`;
  });

/** `0xc02a…6cc2` */
export const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

/**
 * Grouped by thousands, cut, never rounded up: two digits behind the point from 1,000 on, else four, and below one the first four that
 * are not 0. What is exact stands in the message as stored.
 */
export function formatAmount(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals);
  const places = whole === "0" ? fraction.search(/[1-9]/) + 4 : whole.length > 3 ? 2 : 4;
  const shown = fraction.slice(0, places).replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (shown && `.${shown}`);
}
