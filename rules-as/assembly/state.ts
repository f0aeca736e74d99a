/**
 * What a rule remembers from one transaction to the next. The engine keeps it: by address or 32 bytes, for each partition of the
 * stream on its own, in the order of the stream, and exactly once. What a transaction writes that the rule then fails on is undone.
 */
import { Address, Bytes32 } from "./bytes";
import { addToState, declareState } from "./manifest";
import { U256 } from "./u256";

// @ts-ignore: decorator
@external("env", "state_get")
declare function stateGet(declaration: i32, key: usize, amount: usize): i32;
// @ts-ignore: decorator
@external("env", "state_add")
declare function stateAdd(declaration: i32, key: usize, amount: usize): i32;
// @ts-ignore: decorator
@external("env", "state_set")
declare function stateSet(declaration: i32, key: usize, amount: usize): i32;

/** Where an amount passes between rule and engine. */
const cell = memory.data(32, 8);

function put<V>(amount: V): void {
  if (isReference<V>()) {
    const a = changetype<U256>(amount);
    store<u64>(cell, a.w0);
    store<u64>(cell, a.w1, 8);
    store<u64>(cell, a.w2, 16);
    store<u64>(cell, a.w3, 24);
  } else store<V>(cell, amount);
}

function take<V>(): V {
  if (isReference<V>()) return changetype<V>(new U256(load<u64>(cell), load<u64>(cell, 8), load<u64>(cell, 16), load<u64>(cell, 24)));
  return load<V>(cell);
}

function declare<V, K>(name: string, kind: string, more: string = ""): i32 {
  const value = nameof<V>(), key = nameof<K>();
  if (value != "u64" && value != "i64" && value != "f64" && value != "U256")
    throw new Error(`Cannot keep ${value} as "${name}": expected u64, i64, f64 or U256`);
  if (key != "Address" && key != "Bytes32") throw new Error(`Cannot keep "${name}" by ${key}: expected Address or Bytes32`);
  const valueText = value == "U256" ? "u256" : value, keyText = key == "Address" ? "address" : "bytes32";
  return declareState(name, `"kind":"${kind}","key":"${keyText}","value":"${valueText}"${more}`);
}

/** A number for each key. A key that was never written is 0, and so is one that was not written for long: see the README. */
export class Counter<V, K> {
  constructor(private readonly declaration: i32) {}

  /** `const confirmed = counter("confirmed").minedOnly()`: what a pending transaction adds or sets is left out; it is told what there is. */
  minedOnly(): Counter<V, K> {
    addToState(this.declaration, '"mined":true');
    return this;
  }

  /** Its value. */
  get(key: K): V {
    stateGet(this.declaration, changetype<usize>(key), cell);
    return take<V>();
  }

  /** Adds, and gives the new value. Whole numbers stop at their borders. */
  add(key: K, amount: V): V {
    put<V>(amount);
    stateAdd(this.declaration, changetype<usize>(key), cell);
    return take<V>();
  }

  /** From now on it is this. */
  set(key: K, value: V): void {
    put<V>(value);
    stateSet(this.declaration, changetype<usize>(key), cell);
  }
}

/** Sums for each key over the last seconds, by the time of the transactions: when they were seen, or their block. */
export class Window<V, K> {
  constructor(private readonly declaration: i32) {}

  /** `const calls = window("calls", 3600).minedOnly()`: what a pending transaction adds is left out; it is told what there is. */
  minedOnly(): Window<V, K> {
    addToState(this.declaration, '"mined":true');
    return this;
  }

  /** The sum up to now. */
  sum(key: K): V {
    stateGet(this.declaration, changetype<usize>(key), cell);
    return take<V>();
  }

  /** Counts now, and gives the new sum. */
  add(key: K, amount: V): V {
    put<V>(amount);
    stateAdd(this.declaration, changetype<usize>(key), cell);
    return take<V>();
  }
}

/** `const seen = counter("seen")`: a u64 by address. */
export function counter(name: string): Counter<u64, Address> {
  return counterOf<u64, Address>(name);
}

/** `counterOf<U256, Address>("received")`, `counterOf<u64, Bytes32>("topics")`: a u64, i64, f64 or U256 by Address or Bytes32. */
export function counterOf<V, K>(name: string): Counter<V, K> {
  return new Counter<V, K>(declare<V, K>(name, "counter"));
}

/** `const calls = window("calls", 3600)`: a u64 by address over an hour, in steps of a minute; `buckets` says in how many steps. */
export function window(name: string, seconds: i32, buckets: i32 = 60): Window<u64, Address> {
  return windowOf<u64, Address>(name, seconds, buckets);
}

/** `windowOf<U256, Address>("volume", 3600)`: a u64, i64, f64 or U256 by Address or Bytes32. */
export function windowOf<V, K>(name: string, seconds: i32, buckets: i32 = 60): Window<V, K> {
  return new Window<V, K>(declare<V, K>(name, "window", `,"seconds":${seconds},"buckets":${buckets}`));
}
