/**
 * Which transactions a rule gets at all. Said at the top level; the host looks it up in one index for all rules, so
 * what does not match costs the rule nothing.
 *
 *     filter.chain(1).selector("approve(address,uint256)").minValue(ether(1));
 *
 * Different conditions must all hold; the same one said again is an alternative: `.chain(1).chain(137)` is either.
 */
import { parseHex } from "./hex";
import { addAlternative, addWhere, setAmount, setCondition } from "./manifest";
import { selector, topic } from "./signature";
import { U256 } from "./u256";

class Filter {
  /** On this chain: 1 is Ethereum. */
  chain(id: u64): this {
    addAlternative("chains", id.toString());
    return this;
  }

  /** Sent to this address. */
  to(address: string): this {
    addAlternative("to", checked(address));
    return this;
  }

  /** Sent by this address. */
  from(address: string): this {
    addAlternative("from", checked(address));
    return this;
  }

  /** Calls this function: a signature, or 0x and 8 digits. */
  selector(signature: string): this {
    const code = selector(signature);
    addAlternative("selectors", signature.startsWith("0x") ? signature : "0x" + code.toString(16).padStart(8, "0"));
    return this;
  }

  /** Some log has this topic 0: an event's signature, or 0x and 64 digits. Pending transactions have no logs. */
  topic(signature: string): this {
    const hash = topic(signature);
    addAlternative("topics", signature.startsWith("0x") ? signature : hash.toString());
    return this;
  }

  /** Carries at least so much of the chain's own coin. */
  minValue(wei: U256): this {
    setAmount("minValue", wei);
    return this;
  }

  /** Creates a contract (true), or does not (false). */
  created(yes: bool): this {
    setCondition("created", yes ? "true" : "false");
    return this;
  }

  /** Mined and reverted. */
  failed(): this {
    setCondition("status", "0");
    return this;
  }

  /** Mined and not reverted. */
  succeeded(): this {
    setCondition("status", "1");
    return this;
  }

  /**
   * Fulfils a condition as JSON rules have it, with ranges and alternatives over any field:
   * `filter.where('{"or": [{"gas_price_gt": 90000000000}, {"max_priority_fee_per_gas_gt": 5000000000}]}')`. Several must all hold.
   */
  where(condition: string): this {
    addWhere(condition);
    return this;
  }

  /** Not in a block yet. */
  pending(): this {
    setCondition("pending", "true");
    return this;
  }

  /** In a block. */
  mined(): this {
    setCondition("pending", "false");
    return this;
  }
}

function checked(address: string): string {
  parseHex(address, __alloc(20), 20, "an address");
  return address;
}

/** Which transactions this rule is shown. */
export const filter = new Filter();
