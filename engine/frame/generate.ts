import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ACCESS,
  FIELD_WIDTH,
  FIELDS,
  FRAME_VERSION,
  HEADER_SIZE,
  LOG,
  MAX_TOPICS,
  OFFSET,
  OPTIONAL,
  PRESENT,
} from "./schema.ts";

/** The AssemblyScript side of the schema. A unit test compares the file with what `assemblyScript()` gives. */
export const GENERATED_FILE = fileURLToPath(new URL("../../rules-as/assembly/frame.ts", import.meta.url));

/** Constants of frame v1 as AssemblyScript source: offsets in bytes, bits of `present`. */
export function assemblyScript(): string {
  const lines = [
    "// Generated from engine/frame/schema.ts by `npm run frame:generate`: do not edit.",
    "",
    `export const FRAME_VERSION: u32 = ${FRAME_VERSION};`,
    `export const HEADER_SIZE: usize = ${HEADER_SIZE};`,
    `export const MAX_TOPICS: u32 = ${MAX_TOPICS};`,
    "",
    "// Byte offset of each header field",
  ];
  for (const { name, type, doc } of FIELDS) {
    lines.push(
      `/** ${type}, ${FIELD_WIDTH[type]} B: ${doc} */`,
      `export const OFFSET_${name}: usize = ${OFFSET[name]};`,
    );
  }
  lines.push("", "// Bits of the field `present`");
  for (const name of OPTIONAL) lines.push(`export const PRESENT_${name}: u32 = ${PRESENT[name]};`);
  lines.push("", "// Byte offsets within a log");
  for (const [name, offset] of Object.entries(LOG)) lines.push(`export const LOG_${name}: usize = ${offset};`);
  lines.push("", "// Byte offsets within an entry of the access list");
  for (const [name, offset] of Object.entries(ACCESS)) lines.push(`export const ACCESS_${name}: usize = ${offset};`);
  return `${lines.join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(GENERATED_FILE), { recursive: true });
  writeFileSync(GENERATED_FILE, assemblyScript());
}
