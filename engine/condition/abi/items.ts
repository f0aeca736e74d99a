/**
 * ABIs as people have them: the compiler's JSON, or signatures as Solidity writes them.
 *
 *     ["event Transfer(address indexed from, address indexed to, uint256 value)", {"type": "function", "name": "burn", "inputs": […]}]
 */
import { keccak256 } from "./keccak.ts";

export interface AbiParameter {
  /** "" where it has none. */
  readonly name: string;
  /** Canonical: `uint256`, `tuple[]`, … */
  readonly type: string;
  /** Of an event: it is a topic. */
  readonly indexed: boolean;
  /** Of a tuple, or of an array of them. */
  readonly components: readonly AbiParameter[];
}

export interface AbiItem {
  readonly kind: "event" | "function";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  /** An event without its hash as first topic. */
  readonly anonymous: boolean;
}

export interface AbiProblem {
  /** Dotted path to the place, "" for the whole. */
  readonly path: string;
  readonly message: string;
}

export const ABI_LIMITS = { items: 2_000, parameters: 100, depth: 8, text: 4_096, name: 200 } as const;

const NAME = /^[A-Za-z_$][\w$]*$/;
const SIZES = Array.from({ length: 32 }, (_, i) => 8 * (i + 1));
const ELEMENTARY = new Set([
  ...["address", "bool", "string", "bytes", "function"],
  ...SIZES.flatMap((bits) => [`uint${bits}`, `int${bits}`, `bytes${bits / 8}`]),
]);
/** What Solidity says for short. */
const SHORT: Readonly<Record<string, string>> = { uint: "uint256", int: "int256" };

/** Why something is no ABI. */
class Refused extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/**
 * The events and functions of an ABI: an array, of signatures or of the compiler's objects, or an object that has one as `abi`.
 * Constructors, errors and the like are left out. Never throws.
 */
export function readAbi(input: unknown): { readonly items: AbiItem[]; readonly problems: AbiProblem[] } {
  const list = typeof input === "object" && input !== null && "abi" in input ? input.abi : input;
  if (!Array.isArray(list) || list.length > ABI_LIMITS.items) {
    const got = Array.isArray(list) ? `${list.length} entries, at most ${ABI_LIMITS.items}` : brief(list);
    return { items: [], problems: [{ path: "", message: `Expected an array of events and functions, got ${got}` }] };
  }
  const items: AbiItem[] = [];
  const problems: AbiProblem[] = [];
  for (const [i, entry] of list.entries()) {
    try {
      const item = typeof entry === "string" ? parseSignature(entry) : readItem(entry);
      if (item) items.push(item);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (problems.length < 20)
        problems.push({ path: `${i}${error.path && `.${error.path}`}`, message: error.message });
    }
  }
  return { items, problems };
}

const LEFT_OUT = ["constructor", "error", "fallback", "receive"];

function readItem(entry: unknown): AbiItem | undefined {
  const { type: kind, name, inputs = [], anonymous = false } = members(entry, "");
  if (LEFT_OUT.includes(kind as string)) return undefined;
  if (kind !== "event" && kind !== "function")
    throw new Refused("type", `Expected event or function, got ${brief(kind)}`);
  return { kind, name: nameOf(name, "name"), inputs: readInputs(inputs, "inputs", 1), anonymous: anonymous === true };
}

function readInputs(inputs: unknown, path: string, depth: number): AbiParameter[] {
  if (!Array.isArray(inputs) || inputs.length > ABI_LIMITS.parameters)
    throw new Refused(path, `Expected an array of at most ${ABI_LIMITS.parameters} parameters, got ${brief(inputs)}`);
  checkDepth(depth, path);
  return inputs.map((input, i) => {
    const at = `${path}.${i}`;
    const { name = "", type, indexed, components = [] } = members(input, at);
    const canonical = typeof type === "string" ? typeOf(type) : undefined;
    if (canonical === undefined) throw new Refused(`${at}.type`, `Expected a Solidity type, got ${brief(type)}`);
    return {
      name: name === "" ? "" : nameOf(name, `${at}.name`),
      type: canonical,
      indexed: indexed === true,
      components: canonical.startsWith("tuple") ? readInputs(components, `${at}.components`, depth + 1) : [],
    };
  });
}

function members(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refused(path, `Expected a signature as text, or an object with type, name, inputs; got ${brief(value)}`);
}

function nameOf(name: unknown, path: string): string {
  if (typeof name === "string" && name.length <= ABI_LIMITS.name && NAME.test(name)) return name;
  throw new Refused(path, `Expected a name of letters, digits, _ and $, got ${brief(name)}`);
}

function checkDepth(depth: number, path: string): void {
  if (depth > ABI_LIMITS.depth) throw new Refused(path, `Tuples nested deeper than ${ABI_LIMITS.depth} levels`);
}

/** The canonical type; undefined when it is none. */
function typeOf(type: string): string | undefined {
  const [, base, arrays] = /^(\w{1,20})((?:\[(?:[1-9]\d{0,3})?\]){0,8})$/.exec(type) ?? [];
  if (base === undefined) return undefined;
  const plain = SHORT[base] ?? base;
  return plain === "tuple" || ELEMENTARY.has(plain) ? plain + arrays : undefined;
}

const FORM = 'expected "event Name(type indexed name, …)" or "function name(type name, …)"';

/** `event Transfer(address indexed from, address indexed to, uint256 value)`. What stands behind the parameters is not read, but `anonymous`. */
function parseSignature(text: string): AbiItem | undefined {
  if (text.length > ABI_LIMITS.text)
    throw new Refused("", `A signature of ${text.length} characters: expected at most ${ABI_LIMITS.text}`);
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    const sticky = new RegExp(`\\s*(${pattern.source})\\s*`, "y");
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    if (found) at = sticky.lastIndex;
    return found?.[1];
  };
  const refuse = (what: string): never => {
    throw new Refused("", `Cannot read the signature ${brief(text)}: ${what} at character ${at + 1}, ${FORM}`);
  };

  function parameters(depth: number): AbiParameter[] {
    checkDepth(depth, "");
    const list: AbiParameter[] = [];
    if (take(/\)/) !== undefined) return list;
    do {
      if (list.length === ABI_LIMITS.parameters) refuse(`more than ${ABI_LIMITS.parameters} parameters`);
      list.push(parameter(depth));
    } while (take(/,/) !== undefined);
    if (take(/\)/) === undefined) refuse("no comma and no closing bracket");
    return list;
  }

  function parameter(depth: number): AbiParameter {
    const isTuple = take(/(?:tuple)?\s*\(/) !== undefined;
    const components = isTuple ? parameters(depth + 1) : [];
    const type = typeOf((isTuple ? "tuple" : (take(/\w+/) ?? "")) + (take(/(?:\[\d*\])+/) ?? ""));
    if (type === undefined || (!isTuple && type.startsWith("tuple")))
      return refuse("no Solidity type (a contract is an address, an enum a uint8, a struct its members in brackets)");
    let indexed = false;
    for (let word = take(MODIFIER); word !== undefined; word = take(MODIFIER)) indexed ||= word === "indexed";
    return { name: take(/[A-Za-z_$][\w$]*/) ?? "", type, indexed, components };
  }

  const kind = take(/(?:event|function|constructor|error|fallback|receive)\b/);
  if (kind !== undefined && LEFT_OUT.includes(kind)) return undefined;
  if (kind !== "event" && kind !== "function") return refuse("no event and no function");
  const name = take(/[A-Za-z_$][\w$]*/);
  if (name === undefined || take(/\(/) === undefined) return refuse("no name and opening bracket");
  const inputs = parameters(1);
  return { kind, name: nameOf(name, ""), inputs, anonymous: kind === "event" && take(/anonymous\b/) !== undefined };
}

const MODIFIER = /(?:indexed|memory|calldata|storage|payable)\b/;

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** What is hashed: `Transfer(address,address,uint256)`. */
export const signatureOf = ({ name, inputs }: Pick<AbiItem, "name" | "inputs">): string => name + typesOf(inputs);

function typesOf(inputs: readonly AbiParameter[]): string {
  const type = ({ type, components }: AbiParameter): string =>
    type.startsWith("tuple") ? typesOf(components) + type.slice("tuple".length) : type;
  return `(${inputs.map(type).join(",")})`;
}

/** As Solidity writes it: `event Transfer(address indexed from, address indexed to, uint256 value)`. */
export const textOf = ({ kind, name, inputs, anonymous }: AbiItem): string =>
  `${kind} ${name}${parametersText(inputs)}${anonymous ? " anonymous" : ""}`;

function parametersText(inputs: readonly AbiParameter[]): string {
  const one = ({ name, type, indexed, components }: AbiParameter): string => {
    const written = type.startsWith("tuple") ? parametersText(components) + type.slice("tuple".length) : type;
    return `${written}${indexed ? " indexed" : ""}${name && ` ${name}`}`;
  };
  return `(${inputs.map(one).join(", ")})`;
}

/** The event's first topic, or the function's selector, which is 4 bytes. */
export function idOf(item: AbiItem): string {
  const signature = signatureOf(item);
  let hash = hashes.get(signature);
  if (hash === undefined) {
    hash = keccak256(Buffer.from(signature));
    if (hashes.size === MAX_HASHES) hashes.clear();
    hashes.set(signature, hash);
  }
  return item.kind === "event" ? hash : hash.slice(0, "0x12345678".length);
}

/** Thousands of rules name the same few events. */
const hashes = new Map<string, string>();
const MAX_HASHES = 10_000;

/** The type of an array's elements, and how many it has: null, as many as it says. undefined: it is no array. */
export function arrayOf(parameter: AbiParameter): { element: AbiParameter; count: number | null } | undefined {
  const [, type, count] = /^(.*)\[(\d*)\]$/.exec(parameter.type) ?? [];
  if (type === undefined) return undefined;
  return { element: { ...parameter, type }, count: count === "" ? null : Number(count) };
}

/** Is it not where it stands, but where a word points to? */
export function isDynamic(parameter: AbiParameter): boolean {
  const array = arrayOf(parameter);
  if (array) return array.count === null || isDynamic(array.element);
  const { type, components } = parameter;
  return type === "bytes" || type === "string" || (type === "tuple" && components.some(isDynamic));
}

/** Words that parameters take where they stand. */
export function headWords(parameters: readonly AbiParameter[]): number {
  return parameters.reduce((sum, parameter) => {
    if (isDynamic(parameter)) return sum + 1;
    const array = arrayOf(parameter);
    if (array) return sum + array.count! * headWords([array.element]);
    return sum + (parameter.type === "tuple" ? headWords(parameter.components) : 1);
  }, 0);
}
