import ipaddr from "ipaddr.js";

/**
 * Whether an address is one of the open internet. Everything that has another meaning is not: loopback, private and link-local ranges, the
 * clouds' metadata address among them, and IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4, Teredo), which would lead there in disguise.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.parse(address).range() === "unicast";
}
