/** Addresses and blocks of addresses: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
import ipaddr from "ipaddr.js";

export type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** @returns undefined when it is neither; an IPv4 address in IPv6 clothes is the IPv4 address */
export function parseRange(text: string): Range | undefined {
  try {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    return undefined; // ipaddr.js says by an exception that it is none
  }
}

/** @param address as a socket has it: ::ffff:127.0.0.1 is 127.0.0.1 */
export function isWithin(address: string | null | undefined, ranges: readonly Range[]): boolean {
  if (!address || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([base, bits]) => parsed.kind() === base.kind() && parsed.match(base, bits));
}

export const LOOPBACK: readonly Range[] = ["127.0.0.0/8", "::1"].map((text) => parseRange(text)!);
