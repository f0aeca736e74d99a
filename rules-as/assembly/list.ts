/**
 * Named lists: sets of addresses, topics or selectors that whoever runs the engine edits, without a new version of the rule. A list
 * must be there when the rule is uploaded; a transaction sees it as it was when its batch began.
 */
import { Address, Bytes32 } from "./bytes";
import { declareList } from "./manifest";

// @ts-ignore: decorator
@external("env", "list_has")
declare function listHas(list: i32, entry: usize): i32;

/** A list of addresses, or of tokens. */
export class AddressList {
  constructor(private readonly number: i32) {}

  /** Is it on the list? */
  has(one: Address): bool {
    return listHas(this.number, changetype<usize>(one)) != 0;
  }
}

/** A list of topics, or other words of 32 bytes. */
export class TopicList {
  constructor(private readonly number: i32) {}

  /** Is it on the list? */
  has(one: Bytes32): bool {
    return listHas(this.number, changetype<usize>(one)) != 0;
  }
}

/** A list of selectors. */
export class SelectorList {
  constructor(private readonly number: i32) {}

  /** Is it on the list? `tx.selector` is such a number. */
  has(selector: u32): bool {
    store<u32>(cell, bswap(selector));
    return listHas(this.number, cell) != 0;
  }
}

const cell = memory.data(4, 4);

/** `const SANCTIONED = addressList("sanctioned")`: of addresses or tokens. */
export function addressList(name: string): AddressList {
  return new AddressList(declareList(name, 20));
}

/** A list of topics. */
export function topicList(name: string): TopicList {
  return new TopicList(declareList(name, 32));
}

/** A list of selectors. */
export function selectorList(name: string): SelectorList {
  return new SelectorList(declareList(name, 4));
}
