/**
 * Parameters: values that whoever runs the rule may want to see or choose. Declared at the top level with their
 * defaults, listed in the manifest: `const threshold = param.u256("threshold", ether(100), "alert from here on")`.
 */
import { Address, address } from "./bytes";
import { addParameter, quote } from "./manifest";
import { U256 } from "./u256";

/** Values that whoever runs the rule may want to see or choose. */
export namespace param {
  /** An amount: `param.u256("threshold", ether(100), "in wei")`. */
  export function u256(name: string, value: U256, description: string = ""): U256 {
    addParameter(name, quote(value.toString()), description);
    return value;
  }

  /** An address, as a text of 0x and 40 digits. */
  export function address(name: string, value: string, description: string = ""): Address {
    const parsed = parse(value);
    addParameter(name, quote(parsed.toString()), description);
    return parsed;
  }

  /** Up to 2^53 − 1, which is what JSON holds exactly. */
  export function number(name: string, value: u64, description: string = ""): u64 {
    if (value > 9007199254740991) throw new Error(`Cannot declare the parameter "${name}": expected at most 2^53 - 1, use param.u256`);
    addParameter(name, value.toString(), description);
    return value;
  }

  /** A number with a fraction; finite. */
  export function fraction(name: string, value: f64, description: string = ""): f64 {
    if (!isFinite(value)) throw new Error(`Cannot declare the parameter "${name}": expected a finite number`);
    addParameter(name, value.toString(), description);
    return value;
  }

  /** Yes or no. */
  export function bool(name: string, value: boolean, description: string = ""): boolean {
    addParameter(name, value ? "true" : "false", description);
    return value;
  }

  /** A text of at most 1,024 characters. */
  export function text(name: string, value: string, description: string = ""): string {
    addParameter(name, quote(value), description);
    return value;
  }
}

function parse(value: string): Address {
  return address(value);
}
