/**
 * ABI in, typed readers out: a class for each event and each function, in AssemblyScript.
 *
 *     if (Swap.matches(log)) { const swap = Swap.decode(log); swap.amount0In … swap.to }
 *     if (TransferCall.matches(tx)) { const call = TransferCall.decode(tx); call.recipient … call.amount }
 *
 * Topics and selectors are hashed here, not in the rule. Readers are views: nothing is decoded that is not asked for.
 */
import {
  type AbiItem,
  type AbiParameter,
  arrayOf,
  headWords,
  idOf,
  isDynamic,
  readAbi,
  signatureOf,
} from "../../engine/condition/abi/items.ts";
import { UserError } from "../../engine/ops/errors.ts";

export interface Generated {
  readonly source: string;
  /** Names of the classes. */
  readonly events: readonly string[];
  readonly calls: readonly string[];
  /** What there is no reader for, and why. */
  readonly leftOut: readonly string[];
}

/** @param from what the readers were made of, for the head of the file  @throws UserError when it is no ABI */
export function generateReaders(json: string, from: string): Generated {
  const items = parseAbiJson(json, from);
  const names = new Set<string>();
  const leftOut: string[] = [];
  const classes: string[] = [];
  const events: string[] = [];
  const calls: string[] = [];
  for (const item of items) {
    if (item.anonymous) {
      leftOut.push(`${item.name}: an anonymous event has no topic to know it by`);
      continue;
    }
    const isEvent = item.kind === "event";
    const unique = firstFree(className(item.name) + (isEvent ? "" : "Call"), names);
    const reader = (isEvent ? eventReader : callReader)(unique, item);
    (isEvent ? events : calls).push(unique);
    classes.push(reader.source);
    leftOut.push(...reader.leftOut);
  }
  if (classes.length === 0)
    throw new UserError(`Cannot make readers of "${from}": it has neither events nor functions, expected some`);
  return { source: head(from, classes.join("\n")) + classes.join("\n"), events, calls, leftOut };
}

function parseAbiJson(json: string, from: string): AbiItem[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UserError(`Cannot read the ABI "${from}": ${(error as Error).message}`);
  }
  const { items, problems } = readAbi(value);
  const [problem] = problems;
  if (!problem) return items;
  const { path, message } = problem;
  throw new UserError(
    `Cannot read the ABI "${from}": ${path && `${path}: `}${message}; expected an array of events and functions, or an object with "abi"`,
    { next: "The compiler writes it: solc --abi, or the artifact of Hardhat or Foundry" },
  );
}

function head(from: string, body: string): string {
  const used = ["AbiArray", "AbiData", "Address", "Bytes", "Bytes32", "Log", "Tx", "U256", "bytes32"];
  const imported = used.filter((name) =>
    new RegExp(`\\b${name}\\b`).test(body.replace(/^ *\/\/.*$|\/\*\*.*\*\//gm, "")),
  );
  return `// Made by weir rule codegen of ${from.replace(/[^\w./-]/g, "_")}. Readers are views: good within onTx only, never trapping.\nimport { ${imported.join(", ")} } from "@weir/rules";\n\n`;
}

interface Reader {
  readonly source: string;
  readonly leftOut: readonly string[];
}

function eventReader(className: string, item: AbiItem): Reader {
  const { name, inputs } = item;
  const indexed = inputs.filter((input) => input.indexed);
  const members = createMembers(className);
  let topic = 1;
  for (const input of indexed) members.topic(input, topic++);
  const plain = inputs.filter((input) => !input.indexed);
  members.words(plain, "this._data", 0, "");
  const bytes = headWords(plain) * 32;
  const constant = `${className}_TOPIC`;
  const source = `const ${constant} = bytes32("${idOf(item)}");

/** The event ${signatureOf(item)}. */
export class ${className} {
  /** For filter.topic(${className}.TOPIC). */
  static readonly TOPIC: string = "${idOf(item)}";

  /** Is it this event, with all its topics and the fixed part of its data? */
  static matches(log: Log): bool {
    return log.topicCount == ${indexed.length + 1} && log.dataLength >= ${bytes} && log.topic(0) == ${constant};
  }

  /** A reader of the log. What is not there reads as zero. */
  static decode(log: Log): ${className} {
    return new ${className}(log, AbiData.of(log.data));
  }

  constructor(
    private _log: Log,
    private _data: AbiData,
  ) {}
${members.source()}}
`;
  return { source, leftOut: members.leftOut.map((what) => `${name}.${what}`) };
}

function callReader(className: string, item: AbiItem): Reader {
  const { name, inputs } = item;
  const members = createMembers(className);
  members.words(inputs, "this._data", 0, "");
  const selector = idOf(item);
  const source = `/** A call of ${signatureOf(item)}. */
export class ${className} {
  /** For filter.selector(${className}.SELECTOR). */
  static readonly SELECTOR: string = "${selector}";

  /** Does the transaction call it, with the fixed part of its arguments? */
  static matches(tx: Tx): bool {
    return tx.inputLength >= ${4 + headWords(inputs) * 32} && tx.selector == ${selector};
  }

  /** A reader of the arguments. What is not there reads as zero. */
  static decode(tx: Tx): ${className} {
    return new ${className}(AbiData.of(tx.input.slice(4)));
  }

  constructor(private _data: AbiData) {}
${members.source()}}
`;
  return { source, leftOut: members.leftOut.map((what) => `${name}.${what}`) };
}

/** Collects the getters of a class. */
function createMembers(className: string) {
  const names = new Set(["matches", "decode", "constructor", "_log", "_data", "TOPIC", "SELECTOR", className]);
  const leftOut: string[] = [];
  const getters: string[] = [];
  const add = (name: string, type: string, expression: string, about: string): void => {
    getters.push(
      `\n  /** ${about} */\n  get ${firstFree(memberName(name), names)}(): ${type} {\n    return ${expression};\n  }\n`,
    );
  };
  const value = (name: string, type: string, word: string): void => {
    const bits = Number(/\d+$/.exec(type)?.[0] ?? 256);
    if (type === "address") add(name, "Address", `${word}.asAddress()`, type);
    else if (type === "bool") add(name, "bool", `${word}.asBool()`, type);
    else if (type.startsWith("uint")) {
      if (bits <= 64) add(name, "u64", `${word}.asU64()`, type);
      else add(name, "U256", `${word}.asU256()`, type);
    } else if (type.startsWith("int") && bits <= 64) add(name, "i64", `${word}.asI64()`, type);
    else if (type.startsWith("int")) {
      add(name, "U256", `${word}.magnitude()`, `${type}: how far from zero`);
      add(`${name}IsNegative`, "bool", `${word}.isNegative`, `${type}: is it below zero?`);
    } else add(name, "Bytes32", word, `${type}, from the left`); // bytesN, function
  };

  /** Parameters whose first is word `at` of `data`. */
  function words(inputs: readonly AbiParameter[], data: string, at: number, prefix: string): void {
    let word = at;
    inputs.forEach((input, i) => {
      const name = `${prefix}${input.name || `arg${i}`}`;
      read(input, name, data, word);
      word += headWords([input]);
    });
  }

  function read(input: AbiParameter, name: string, data: string, word: number): void {
    const { type, components } = input;
    const { element, count } = arrayOf(input) ?? {};
    if (type === "bytes") add(name, "Bytes", `${data}.bytes(${word})`, type);
    else if (type === "string") add(name, "string", `${data}.text(${word})`, `${type}, at most 1,024 bytes of it`);
    else if (type === "tuple")
      words(components, isDynamic(input) ? `${data}.tuple(${word})` : data, isDynamic(input) ? 0 : word, `${name}_`); // biome-ignore format: two kinds of one thing
    else if (!element) value(name, type, `${data}.word(${word})`);
    else if (typeof count === "number" && !isDynamic(element))
      for (let i = 0; i < Math.min(count, MAX_FIXED); i++)
        read(element, `${name}${i}`, data, word + i * headWords([element]));
    else if (count === null && !isDynamic(element) && headWords([element]) === 1)
      add(name, "AbiArray", `${data}.array(${word})`, `${type}: a word each`);
    else leftOut.push(`${name}: ${type} is an array of what is not one word`);
  }

  return {
    words,
    topic(input: AbiParameter, at: number): void {
      const name = input.name || `arg${at - 1}`;
      const hashed = isDynamic(input) || /\]$|^tuple/.test(input.type);
      if (hashed) add(`${name}Hash`, "Bytes32", `this._log.topic(${at})`, `${input.type}: its hash, as it is indexed`);
      else value(name, input.type, `this._log.topic(${at})`);
    },
    leftOut,
    source: () => getters.join(""),
  };
}

/** Members of a fixed array that get a getter each. */
const MAX_FIXED = 16;

/** `transferFrom` is TransferFrom. */
const className = (name: string): string => {
  const plain = name.replace(/^[_$]+/, "").replaceAll("$", "_") || "Unnamed";
  return /^\d/.test(plain) ? `_${plain}` : plain[0]!.toUpperCase() + plain.slice(1);
};

const RESERVED = new Set(
  "break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with as implements interface let package private protected public static yield any boolean declare get module require number set string symbol type from of i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 usize isize bool".split(
    " ",
  ),
);
const memberName = (name: string): string => {
  const plain = name.replace(/[^\w]/g, "_").replace(/^(\d)/, "_$1");
  return RESERVED.has(plain) ? `${plain}_` : plain;
};

/** The name, or with a number behind it: ABIs overload. */
function firstFree(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted}${i}`;
  taken.add(name);
  return name;
}
