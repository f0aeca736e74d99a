/** One entry of a transaction's access list: a view (layout in engine/frame/schema.ts). */
import { Address, Bytes32, zeroBytes32 } from "./bytes";
import { ACCESS_address, ACCESS_keyCount, ACCESS_keys } from "./frame";

/** A contract and the storage keys of it that a transaction says it will read. */
@unmanaged
export class AccessListEntry {
  /** The contract whose storage is read. */
  get address(): Address {
    return changetype<Address>(changetype<usize>(this) + ACCESS_address);
  }

  /** How many storage keys. */
  get keyCount(): u32 {
    return load<u32>(changetype<usize>(this), ACCESS_keyCount);
  }

  /** Storage key `i`; zero if there is none. */
  key(i: u32): Bytes32 {
    return i < this.keyCount ? changetype<Bytes32>(changetype<usize>(this) + ACCESS_keys + (<usize>i << 5)) : zeroBytes32();
  }
}
