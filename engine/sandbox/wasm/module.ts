/**
 * The sections of a module except its code: parsed strictly, checked against the limits, every violation with its place.
 * Nothing here trusts a count or a length, and after a violation parsing goes on as long as the bytes can be told apart.
 */
import type { Report } from "../finding.ts";
import { HOST_FUNCTIONS } from "../hostFunctions.ts";
import type { ModuleLimits } from "../limits.ts";
import { Malformed, Reader } from "./reader.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface GlobalEntry {
  readonly type: number;
  readonly mutable: boolean;
  /** value of an i32.const initialiser, else null */
  readonly i32: number | null;
}

export type ExternalKind = "function" | "table" | "memory" | "global";
const EXTERNAL_KINDS: readonly ExternalKind[] = ["function", "table", "memory", "global"];

export interface ExportEntry {
  readonly kind: ExternalKind;
  readonly index: number;
  readonly offset: number;
}

export interface ParsedModule {
  readonly bytes: Uint8Array;
  readonly types: FunctionType[];
  /** what functions are imported, in the order of their numbers: names within env */
  readonly imports: string[];
  /** type index of every function, imports first */
  readonly functions: number[];
  readonly globals: GlobalEntry[];
  memory: { minimum: number; maximum: number } | null;
  table: { minimum: number } | null;
  readonly exports: Map<string, ExportEntry>;
  start: number | null;
  dataCount: number | null;
  /** active segments of the table: functions from `start` on */
  readonly elements: { start: number; functions: number[] }[];
  readonly bodies: Reader[];
  /** Contents of the sections that are written again as they are, or with something behind: by section id */
  readonly raw: Map<number, { from: number; to: number; count: number; items: number }>;
  /** content of the custom section "name" */
  names: { from: number; to: number } | null;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;
const SECTION_NAMES = Object.keys(SECTION);

/** Sections come in this order; dataCount was added late. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const PAGE = 65_536;

/** Parses all sections. Throws Malformed where the bytes stop making sense; what was found until then is in the report. */
export function parseModule(bytes: Uint8Array, limits: ModuleLimits, report: Report): ParsedModule {
  const reader = new Reader(bytes);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  for (const expected of header) {
    if (reader.u8() !== expected) throw new Malformed("Not a WebAssembly 1 module", reader.at - 1);
  }
  const module: ParsedModule = {
    bytes,
    types: [],
    imports: [],
    functions: [],
    globals: [],
    memory: null,
    table: null,
    exports: new Map(),
    start: null,
    dataCount: null,
    elements: [],
    bodies: [],
    raw: new Map(),
    names: null,
  };
  let last = -1;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.u8();
    const content = reader.part(reader.u32());
    if (id === SECTION.custom) {
      if (content.name() === "name") module.names = { from: content.at, to: content.end };
      continue;
    }
    const order = ORDER.indexOf(id);
    if (order < 0) {
      report.add("unsupported", `Section ${id}: exceptions or another proposal`, { offset: at, actual: id });
      continue;
    }
    if (order <= last) throw new Malformed(`Section "${SECTION_NAMES[id]}" is out of order or there twice`, at);
    last = order;
    parseSection(id, content, module, limits, report);
    if (!content.done)
      throw new Malformed(`Section "${SECTION_NAMES[id]}" has ${content.end - content.at} bytes too many`, content.at);
  }
  if (module.bodies.length !== module.functions.length - module.imports.length) {
    const declared = module.functions.length - module.imports.length;
    throw new Malformed(`${declared} functions are declared and ${module.bodies.length} are there`, bytes.length);
  }
  return module;
}

function parseSection(id: number, content: Reader, module: ParsedModule, limits: ModuleLimits, report: Report): void {
  const section = SECTION_NAMES[id]!;
  const whole = content.at;
  const tooMany = (what: string, actual: number, limit: number) =>
    report.limit("too_many", `the number of ${what}`, actual, limit, { section, offset: whole });
  const bad = (code: Parameters<Report["add"]>[0], message: string, offset: number, more = {}) =>
    report.add(code, message, { section, offset, ...more });

  if (id === SECTION.start) {
    module.start = content.u32();
    const type = module.types[module.functions[module.start] ?? -1];
    if (type === undefined || type.parameters.length + type.results.length > 0) {
      bad("index", `Cannot start with function ${module.start}: expected one without parameters and results`, whole);
    }
    return;
  }
  if (id === SECTION.dataCount) {
    module.dataCount = content.u32();
    return;
  }

  const count = content.count(`entries in section "${section}"`);
  module.raw.set(id, { from: whole, to: content.end, count, items: content.at });
  switch (id) {
    case SECTION.type:
      tooMany("types", count, limits.types);
      for (let i = 0; i < count; i++) {
        const at = content.at;
        const form = content.u8();
        if (form !== 0x60) throw new Malformed(`Type of form 0x${form.toString(16)}: only functions are admitted`, at);
        const parameters = valueTypes(content, report, section);
        const results = valueTypes(content, report, section);
        report.limit("too_many", "the number of parameters", parameters.length, limits.parameters, {
          section,
          offset: at,
        });
        if (results.length > 1)
          bad("unsupported", "Several results: multi-value", at, { limit: 1, actual: results.length });
        module.types.push({ parameters, results });
      }
      return;
    case SECTION.import:
      for (let i = 0; i < count; i++) parseImport(content, module, report);
      return;
    case SECTION.function:
      tooMany("functions", count, limits.functions);
      for (let i = 0; i < count; i++) {
        const at = content.at;
        const type = content.u32();
        if (type >= module.types.length)
          bad("index", `Type ${type} is not there`, at, { function: module.functions.length });
        module.functions.push(type);
      }
      return;
    case SECTION.table:
      if (count > 1) bad("table", "Cannot admit several tables", whole, { limit: 1, actual: count });
      for (let i = 0; i < count; i++) {
        const at = content.at;
        const type = content.u8();
        if (type !== 0x70) throw new Malformed(`Table of type 0x${type.toString(16)}, expected funcref`, at);
        const { minimum } = sizes(content, "table");
        report.limit("table", "a table", minimum, limits.tableEntries, { section, offset: at });
        module.table = { minimum };
      }
      return;
    case SECTION.memory:
      if (count > 1) bad("memory", "Cannot admit several memories", whole, { limit: 1, actual: count });
      for (let i = 0; i < count; i++) {
        const at = content.at;
        const { minimum, maximum, flags } = sizes(content, "memory");
        if (flags >= 2) bad("memory", flags >= 4 ? "Cannot admit a 64-bit memory" : "Cannot admit a shared memory", at);
        report.limit("memory", "a memory (pages of 64 KiB)", minimum, limits.memoryPages, { section, offset: at });
        module.memory = { minimum, maximum: Math.min(maximum ?? limits.memoryPages, limits.memoryPages) };
      }
      return;
    case SECTION.global:
      tooMany("globals", count, limits.globals);
      for (let i = 0; i < count; i++) {
        const at = content.at;
        const type = valueType(content, report, section);
        const mutable = content.u8();
        if (mutable > 1) throw new Malformed("Mutability of a global is neither 0 nor 1", at);
        module.globals.push({ type, mutable: mutable === 1, i32: constant(content) });
      }
      return;
    case SECTION.export:
      tooMany("exports", count, limits.exports);
      for (let i = 0; i < count; i++) {
        const offset = content.at;
        const name = content.name();
        const kind = EXTERNAL_KINDS[content.u8()];
        const index = content.u32();
        if (kind === undefined) bad("unsupported", `Export "${name}" is of an unknown kind`, offset);
        if (name.startsWith("weir_host_"))
          bad("reserved_name", `Cannot export "${name}": the prefix weir_host_ is the host's`, offset);
        if (module.exports.has(name)) bad("invalid", `Export "${name}" is there twice`, offset);
        if (kind !== undefined) module.exports.set(name, { kind, index, offset });
      }
      return;
    case SECTION.element:
      tooMany("element segments", count, limits.elementSegments);
      for (let i = 0; i < count; i++) parseElements(content, module, report);
      return;
    case SECTION.code:
      for (let i = 0; i < count; i++) module.bodies.push(content.part(content.u32()));
      return;
    case SECTION.data:
      tooMany("data segments", count, limits.dataSegments);
      parseData(content, count, module, limits, report);
      if (module.dataCount !== null && module.dataCount !== count)
        throw new Malformed("Data count differs from the data", whole);
  }
}

function parseImport(content: Reader, module: ParsedModule, report: Report): void {
  const offset = content.at;
  const from = content.name();
  const field = content.name();
  const name = `${from}.${field}`;
  const kind = content.u8();
  const place = { section: "import", offset };
  const known =
    kind === 0 && from === "env" && Object.hasOwn(HOST_FUNCTIONS, field) ? HOST_FUNCTIONS[field] : undefined;
  if (known === undefined) {
    const there = Object.keys(HOST_FUNCTIONS).map((each) => `env.${each}`);
    report.add("unknown_import", `Cannot import "${name}": only ${there.join(", ")} are there`, place);
  }
  if (kind === 0) {
    const type = content.u32();
    if (type >= module.types.length) report.add("index", `Type ${type} is not there`, place);
    else if (known !== undefined && typeText(module.types[type]!) !== known.type) {
      const actual = typeText(module.types[type]!);
      report.add("import_type", `Cannot import "${name}" as ${actual}, expected ${known.type}`, { ...place, actual });
    }
    if (module.imports.includes(field)) report.add("unknown_import", `Cannot import "${name}" twice`, place);
    module.imports.push(field);
    module.functions.push(type);
  } else if (kind === 1) {
    content.u8();
    sizes(content, "table");
  } else if (kind === 2) sizes(content, "memory");
  else if (kind === 3) content.skip(2);
  else throw new Malformed(`Import "${name}" is of an unknown kind`, offset);
}

/** Active segments of function indices are all that `asc` writes; any other kind would need table.init. */
function parseElements(content: Reader, module: ParsedModule, report: Report): void {
  const offset = content.at;
  const place = { section: "element", offset };
  const flags = content.u32();
  if (flags !== 0)
    throw new Malformed(`Element segment of kind ${flags}, expected 0: an active list of functions`, offset);
  const start = constant(content);
  const count = content.count("elements");
  if (start === null) report.add("elements", "Element segment's offset is no i32.const", place);
  else if (module.table === null || start < 0 || start + count > module.table.minimum) {
    const limit = module.table?.minimum ?? 0;
    report.add("elements", `Cannot place ${count} elements at ${start}: the table has ${limit}`, {
      ...place,
      limit,
      actual: start + count,
    });
  }
  const functions: number[] = [];
  for (let i = 0; i < count; i++) {
    const index = content.u32();
    if (index >= module.functions.length) report.add("index", `Function ${index} is not there`, place);
    // what a call of theirs costs and writes to is seen where it stands
    const imported = module.imports[index];
    if (imported !== undefined && imported !== "abort")
      report.add("elements", `Cannot place env.${imported} in a table: expected direct calls of it only`, place);
    functions.push(index);
  }
  module.elements.push({ start: start ?? 0, functions });
}

function parseData(content: Reader, count: number, module: ParsedModule, limits: ModuleLimits, report: Report): void {
  const size = (module.memory?.minimum ?? 0) * PAGE;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const offset = content.at;
    const flags = content.u32();
    if (flags > 1) throw new Malformed(`Data segment of kind ${flags}, expected 0 or 1`, offset);
    const start = flags === 0 ? constant(content) : 0;
    const length = content.count("bytes of data");
    content.skip(length);
    total += length;
    const place = { section: "data", offset };
    if (start === null) report.add("data", "Data segment's offset is no i32.const", place);
    else if (flags === 0 && (start < 0 || start + length > size)) {
      report.add("data", `Cannot place ${length} bytes at ${start}: the memory has ${size}`, {
        ...place,
        limit: size,
        actual: start + length,
      });
    }
  }
  report.limit("data", "data segments (bytes)", total, limits.dataBytes, { section: "data" });
}

function valueTypes(content: Reader, report: Report, section: string): number[] {
  const count = content.count("value types");
  return Array.from({ length: count }, () => valueType(content, report, section));
}

export function valueType(content: Reader, report: Report, section: string): number {
  const offset = content.at;
  const type = content.u8();
  if (type === 0x7b)
    report.add("unsupported", "Type v128: SIMD, as NaN payloads of its lanes differ between machines", {
      section,
      offset,
    });
  else if (type === 0x70 || type === 0x6f) report.add("unsupported", "Reference types", { section, offset });
  else if (type < F64 || type > I32) throw new Malformed(`Value type 0x${type.toString(16)}`, offset);
  return type;
}

/** limits of a table or memory: flags, minimum, maximum if flag 1 is set */
function sizes(content: Reader, what: string): { flags: number; minimum: number; maximum: number | null } {
  const at = content.at;
  const flags = content.u8();
  if (flags > 7 || (what === "table" && flags > 1)) throw new Malformed(`Limits of a ${what} of kind ${flags}`, at);
  const minimum = content.u32();
  const maximum = (flags & 1) === 1 ? content.u32() : null;
  return { flags, minimum, maximum };
}

/** A constant expression: one const and end. Its value if it is an i32.const, else null. */
function constant(content: Reader): number | null {
  const at = content.at;
  const opcode = content.u8();
  let value: number | null = null;
  if (opcode === 0x41) value = content.s32();
  else if (opcode === 0x42) content.skipS64();
  else if (opcode === 0x43) content.skip(4);
  else if (opcode === 0x44) content.skip(8);
  else throw new Malformed(`Constant expression begins with 0x${opcode.toString(16)}, expected a const`, at);
  if (content.u8() !== 0x0b) throw new Malformed("Constant expression is more than a const", content.at - 1);
  return value;
}

const TYPE_NAMES: Record<number, string> = { [I32]: "i32", [I64]: "i64", [F32]: "f32", [F64]: "f64" };

/** "(i32, i32)", "() → i32" */
export function typeText({ parameters, results }: FunctionType): string {
  const list = (types: readonly number[]) => types.map((type) => TYPE_NAMES[type] ?? "?").join(", ");
  return `(${list(parameters)})${results.length > 0 ? ` → ${list(results)}` : ""}`;
}
