/** Function selectors and event topics from their signatures, hashed once at the top level of a rule. */
import { Bytes32, bytes32 } from "./bytes";
import { parseHex } from "./hex";
import { keccakOf } from "./keccak";

function hash(signature: string): Bytes32 {
  const open = signature.indexOf("(");
  if (open < 1 || !signature.endsWith(")") || signature.includes(" "))
    throw new Error(`Cannot hash "${signature}": expected a signature without spaces or names, such as transfer(address,uint256)`);
  if (hasBareInt(signature, open))
    throw new Error(`Cannot hash "${signature}": write uint256 for uint and int256 for int`);
  const utf8 = String.UTF8.encode(signature);
  return keccakOf(changetype<usize>(utf8), utf8.byteLength);
}

/** Solidity's `uint` is a nickname: a hash over it matches nothing. */
function hasBareInt(signature: string, from: i32): bool {
  for (let at = signature.indexOf("int", from); at >= 0; at = signature.indexOf("int", at + 3)) {
    const before = signature.charCodeAt(at - 1), after = signature.charCodeAt(at + 3);
    const begins = before == 40 || before == 44 || (before == 117 && (signature.charCodeAt(at - 2) == 40 || signature.charCodeAt(at - 2) == 44));
    if (begins && (after == 41 || after == 44 || after == 91)) return true; // ( , u … ) , [
  }
  return false;
}

/** First four bytes of the hash, as `tx.selector` has them: `selector("approve(address,uint256)")` is 0x095ea7b3. `0x…` is taken as it is. */
export function selector(signature: string): u32 {
  if (!signature.startsWith("0x")) return bswap(load<u32>(changetype<usize>(hash(signature))));
  const pointer = __alloc(4);
  parseHex(signature, pointer, 4, "a selector");
  return bswap(load<u32>(pointer));
}

/** Topic 0 of an event: `topic("Transfer(address,address,uint256)")`. `0x…` is taken as it is. */
export function topic(signature: string): Bytes32 {
  return signature.startsWith("0x") ? bytes32(signature) : hash(signature);
}
