/** A list of known addresses, made once at the top level, asked in constant time. */
import { Address, address } from "./bytes";

/** Open addressing over a table at least twice as long as the list; a slot is a place in the list plus 1, 0 is empty. */
export class AddressSet {
  private list: StaticArray<Address>;
  private slots: StaticArray<u32>;
  private mask: u32;

  constructor(texts: string[]) {
    const count = texts.length;
    const size = 2 << (32 - clz<u32>(count));
    this.list = new StaticArray<Address>(count);
    this.slots = new StaticArray<u32>(size);
    this.mask = size - 1;
    for (let i = 0; i < count; ++i) {
      const one = address(texts[i]);
      this.list[i] = one;
      let at = this.start(one);
      while (this.slots[at] != 0) at = (at + 1) & this.mask;
      this.slots[at] = i + 1;
    }
  }

  private start(one: Address): u32 {
    const key = load<u64>(changetype<usize>(one), 8); // addresses are hashes; vanity ones differ in the middle
    return <u32>((key * 0x9e3779b97f4a7c15) >> 32) & this.mask;
  }

  /** Place in the list given, -1 if it is not there: for a list of labels beside it. */
  indexOf(one: Address): i32 {
    let at = this.start(one);
    for (let slot = this.slots[at]; slot != 0; slot = this.slots[at]) {
      if (this.list[slot - 1] == one) return slot - 1;
      at = (at + 1) & this.mask;
    }
    return -1;
  }

  /** Is it on the list? */
  has(one: Address): bool {
    return this.indexOf(one) >= 0;
  }
}

/** `const ROUTERS = addressSet(["0x…", "0x…"])` */
export function addressSet(texts: string[]): AddressSet {
  return new AddressSet(texts);
}
