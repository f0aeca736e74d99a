/** The SDK's side of facts: a class for each section, whose members are the schema's fields. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  ENTRIES,
  FACT_FLAG,
  FACTS,
  FACTS_BIT,
  FACTS_VERSION,
  PART,
  type PlacedField,
  partOf,
  SECTION_NAMES,
} from "./schema.ts";

/** A unit test compares the file with what `assemblyScript()` gives. */
export const GENERATED_FILE = fileURLToPath(new URL("../../../rules-as/assembly/facts.ts", import.meta.url));

const capital = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}`;
const CLASS_DOCS = {
  swap: "A pool received one token and paid out another.",
  arbitrage: "A closed route of swaps of one account.",
  sandwich: "The transaction's part in a sandwich.",
  liquidation: "Somebody repaid another one's debt for collateral.",
  jit: "The transaction's part in liquidity that was there for others' swaps only.",
} as const;

/** AssemblyScript source. */
export function assemblyScript(): string {
  const enums = new Map<string, string>();
  const classes = SECTION_NAMES.map((section) => {
    const members = ENTRIES[section].fields.flatMap((field) => membersOf(section, field, enums));
    return `/** ${CLASS_DOCS[section]} */\n@unmanaged\nexport class ${capital(section)} {\n${members.join("\n\n")}\n}\n`;
  });
  return [
    "// Generated from engine/chain/facts/schema.ts by `npm run frame:generate`: do not edit.",
    'import { Address, Bytes32 } from "./bytes";',
    'import { Entries, nameAt, nameIs } from "./entries";',
    'import { U256 } from "./u256";',
    "",
    `export const FACTS_VERSION: u32 = ${FACTS_VERSION};`,
    "/** Of a frame's `present`. */",
    `export const FACTS_BIT: u32 = ${FACTS_BIT};`,
    "",
    "// Byte offsets within the facts header",
    ...(["flags", "risk", "swapCount"] as const).map((name) => `export const FACTS_${name}: usize = ${FACTS[name]};`),
    ...SECTION_NAMES.map((name) => `export const PART_of_${name}: usize = ${partOf(name)};`),
    "",
    "// Byte offsets within a part",
    ...Object.entries(PART).map(([name, offset]) => `export const PART_${name}: usize = ${offset};`),
    "",
    "// Bits of `flags`",
    ...Object.entries(FACT_FLAG).map(([name, bit]) => `export const FLAG_${name}: u32 = ${bit};`),
    "",
    ...enums.values(),
    ...classes,
  ].join("\n");
}

function membersOf(section: string, field: PlacedField, enums: Map<string, string>): string[] {
  const { name, type, doc, offset, bit, choices } = field;
  const at = `changetype<usize>(this) + ${offset}`;
  const getter = (of: string, result: string, text: string, means: string): string =>
    `  /** ${capital(means)}. */\n  get ${of}(): ${result} {\n    return ${text};\n  }`;
  const there = bit === 0 ? [] : [getter(`has${capital(name)}`, "bool", `(load<u32>(changetype<usize>(this)) & ${bit}) != 0`, `is ${name} known`)]; // biome-ignore format: one member
  switch (type) {
    case "u32":
      return [getter(name, "u32", `load<u32>(${at})`, doc), ...there];
    case "u256":
      return [getter(name, "U256", `changetype<U256>(${at})`, doc), ...there];
    case "bytes20":
      return [getter(name, "Address", `changetype<Address>(${at})`, doc), ...there];
    case "bytes32":
      return [getter(name, "Bytes32", `changetype<Bytes32>(${at})`, doc), ...there];
    case "text":
      return [
        getter(name, "string", `nameAt(${at})`, doc),
        `  /** Is the ${name} this one? Without making a text of it. */\n  ${name}Is(name: string): bool {\n    return nameIs(${at}, name);\n  }`,
      ];
    case "choice": {
      const of = name === "role" ? `${capital(section)}Role` : capital(name);
      const values = choices!.map((choice, i) => `  ${capital(choice)} = ${i + 1},`);
      enums.set(of, `/** ${capital(doc)}. */\nexport enum ${of} {\n  None = 0,\n${values.join("\n")}\n}\n`);
      return [getter(name, of, `<${of}>load<u32>(${at})`, doc)];
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(GENERATED_FILE, assemblyScript());
