/**
 * Parameters: values that whoever runs the rule may change without a new build. Declared at the top level with their defaults,
 * listed in the manifest: `const threshold = param.u256("threshold", ether(100), "alert from here on")`. What a declaration
 * gives is the value that holds: top-level code and filters that are made of it follow it.
 */
import { Address, address, bytes, Bytes, bytes32, Bytes32 } from "./bytes";
import { toHex } from "./hex";
import { addParameter, quote } from "./manifest";
import { givenLength, givenValue } from "./parameterArea";
import { selector, topic } from "./signature";
import { U256 } from "./u256";

/** Values that whoever runs the rule may change without a new build. */
export namespace param {
  /** An amount, from `least` to `most` if these are given: `param.u256("threshold", ether(100), "in wei", ether(1))`. */
  export function u256(name: string, value: U256, description: string = "", least: U256 | null = null, most: U256 | null = null): U256 {
    let range = least ? `,"min":"${least.toString()}"` : "";
    if (most) range += `,"max":"${most.toString()}"`;
    addParameter(name, "integer", quote(value.toString()), range, description);
    const given = givenValue(name);
    return given ? changetype<U256>(given) : value;
  }

  /** A whole number from `least` to `most`; up to 2^53 − 1, which is what JSON holds exactly. */
  export function number(name: string, value: u64, description: string = "", least: u64 = 0, most: u64 = 9007199254740991): u64 {
    if (most > 9007199254740991) throw new Error(`Cannot declare the parameter "${name}": expected at most 2^53 - 1, use param.u256`);
    addParameter(name, "integer", quote(value.toString()), `,"min":"${least}","max":"${most}"`, description);
    const given = givenValue(name);
    return given ? load<u64>(given) : value;
  }

  /** A number with a fraction; finite, and from `least` to `most`. */
  export function fraction(name: string, value: f64, description: string = "", least: f64 = -f64.MAX_VALUE, most: f64 = f64.MAX_VALUE): f64 {
    if (!isFinite(value)) throw new Error(`Cannot declare the parameter "${name}": expected a finite number`);
    let range = least > -f64.MAX_VALUE ? `,"min":${least}` : "";
    if (most < f64.MAX_VALUE) range += `,"max":${most}`;
    addParameter(name, "number", value.toString(), range, description);
    const given = givenValue(name);
    return given ? load<f64>(given) : value;
  }

  /** Yes or no. */
  export function bool(name: string, value: boolean, description: string = ""): boolean {
    addParameter(name, "boolean", value ? "true" : "false", "", description);
    const given = givenValue(name);
    return given ? load<u8>(given) != 0 : value;
  }

  /** An address, as a text of 0x and 40 digits. */
  export function address(name: string, value: string, description: string = ""): Address {
    const parsed = addressOf(value);
    addParameter(name, "address", quote(parsed.toString()), "", description);
    const given = givenValue(name);
    return given ? changetype<Address>(given) : parsed;
  }

  /** A hash or topic: 0x and 64 digits, or for the default an event's signature. */
  export function bytes32(name: string, value: string, description: string = ""): Bytes32 {
    const parsed = topic(value);
    addParameter(name, "bytes32", quote(parsed.toString()), "", description);
    const given = givenValue(name);
    return given ? changetype<Bytes32>(given) : parsed;
  }

  /** What a call begins with, as `tx.selector` has it: 0x and 8 digits, or for the default a function's signature. */
  export function selector(name: string, value: string, description: string = ""): u32 {
    const parsed = selectorOf(value);
    addParameter(name, "selector", quote("0x" + parsed.toString(16).padStart(8, "0")), "", description);
    const given = givenValue(name);
    return given ? bswap(load<u32>(given)) : parsed;
  }

  /** Bytes of any length up to 512: 0x and two digits each. */
  export function bytes(name: string, value: string, description: string = ""): Bytes {
    const parsed = bytesOf(value);
    addParameter(name, "bytes", quote(toHex(parsed.pointer, parsed.length)), "", description);
    const given = givenValue(name);
    return given ? new Bytes(given, givenLength(name, given)) : parsed;
  }

  /** A text of at most 1,024 characters; one of the choices, if these are given: `param.text("mode", "strict", "", ["strict", "loose"])`. */
  export function text(name: string, value: string, description: string = "", choices: string[] = []): string {
    let list = "";
    for (let i = 0; i < choices.length; ++i) list += (i > 0 ? "," : ',"choices":[') + quote(choices[i]);
    addParameter(name, "text", quote(value), choices.length > 0 ? list + "]" : "", description);
    const given = givenValue(name);
    if (!given) return value;
    const length = givenLength(name, given);
    const text = changetype<string>(__new(length, idof<string>()));
    memory.copy(changetype<usize>(text), given, length);
    return text;
  }
}

// Within the namespace these names are its own.
function addressOf(value: string): Address {
  return address(value);
}

function selectorOf(value: string): u32 {
  return selector(value);
}

function bytesOf(value: string): Bytes {
  return bytes(value);
}
