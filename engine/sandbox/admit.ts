/**
 * Admission: from what an author uploads to a module that can hurt nobody, or to a list of every violation in it.
 *
 *     bytes ─▶ sections ─▶ ABI ─▶ bodies, metered ─▶ the engine's validation ─▶ written again ─▶ tried on samples
 */
import { createReport, type Finding, type Report } from "./finding.ts";
import { declares, HOST_FUNCTIONS } from "./hostFunctions.ts";
import { memoryImport } from "./importedMemory.ts";
import {
  type GuestEntry,
  globalEntries,
  type HostFunctions,
  type HostGlobals,
  hostBodies,
  hostFunctions,
  hostFunctionTypes,
  hostGlobals,
  hostTypes,
  meteredType,
  OWN_GLOBALS,
} from "./inject.ts";
import { readManifest } from "./instance.ts";
import { MODULE_LIMITS, type ModuleLimits, RUN_LIMITS, type RunLimits } from "./limits.ts";
import { countedFunctions, globalsSetBy, meteredBody, type Stretch } from "./meter.ts";
import { MAX_PARAMETER_AREA } from "./parameterArea.ts";
import { type Manifest, parseManifest } from "./parseManifest.ts";
import { type ScannedBody, scanBody } from "./scanBody.ts";
import { smokeRun } from "./smokeRun.ts";
import { type ExternalKind, I32, type ParsedModule, parseModule, SECTION, typeText } from "./wasm/module.ts";
import { Malformed } from "./wasm/reader.ts";
import { signedLeb, Writer } from "./wasm/writer.ts";

export const ABI_VERSION = 1;

export type Admission =
  | { readonly ok: true; readonly module: Uint8Array; readonly manifest: Manifest }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * What an author uploads: checked and rewritten, started once for its manifest, and tried on samples. Time and memory are linear
 * in its size, and what it runs is bounded by fuel: 3 ms for most rules, a second or more for the worst (see admitAside). Whatever
 * the bytes are, it does not throw: only SandboxExhausted if the process is out of memories.
 *
 * @returns the admitted module, to be compiled with `new WebAssembly.Module`, or up to 100 findings
 */
export function admit(
  bytes: Uint8Array,
  limits: ModuleLimits = MODULE_LIMITS,
  runLimits: RunLimits = RUN_LIMITS,
): Admission {
  const admission = readmit(bytes, limits, runLimits);
  if (!admission.ok) return admission;
  const report = createReport();
  smokeRun(new WebAssembly.Module(admission.module), admission.manifest, runLimits, report);
  return report.findings.length === 0 ? admission : { ok: false, findings: report.findings };
}

/**
 * The same for a module that was admitted before: all but trying it.
 * @param stretches filled with where each function's code is from: what tells an author where a budget ended
 */
export function readmit(
  bytes: Uint8Array,
  limits: ModuleLimits = MODULE_LIMITS,
  runLimits: RunLimits = RUN_LIMITS,
  stretches?: Stretch[][],
): Admission {
  if (limits.memoryPages > 64)
    throw new RangeError(`Cannot cap memory at ${limits.memoryPages} pages: expected at most 64`);
  const report = createReport();
  const refused = (): Admission => ({ ok: false, findings: report.findings });
  report.limit("module_too_large", "a module (bytes)", bytes.length, limits.moduleBytes);
  if (report.findings.length > 0) return refused();
  try {
    const module = parseModule(bytes, limits, report);
    const abi = checkAbi(module, report);
    const functions = hostFunctions(module);
    const context = { module, limits, report, functions, complexity: { merged: 0 } };
    const bodies = module.bodies.map((body, i) => scanBody(context, module.imports.length + i, body));
    const { merged } = context.complexity;
    report.limit("too_complex", "the branches, each times the locals of its function", merged, limits.complexity, {
      section: "code",
    });
    if (report.findings.length > 0) return refused();
    // types, operands and all that our walk does not look at
    if (!WebAssembly.validate(bytes)) {
      const { message, offset } = whyInvalid(bytes);
      report.add("invalid", message, { offset });
      return refused();
    }
    const admitted = write(module, abi, functions, bodies as ScannedBody[], stretches);
    if (!WebAssembly.validate(admitted)) {
      throw new Error(`Cannot meter a valid module: ${whyInvalid(admitted).message}`); // a bug of ours
    }
    const reading = readManifest(new WebAssembly.Module(admitted), runLimits);
    if (!reading.ok) {
      report.add("initialization", reading.fault.message, { actual: reading.fault.code });
      return refused();
    }
    const parsed = parseManifest(reading.json);
    if (parsed.ok) {
      checkDeclared(module, parsed.manifest, report);
      return report.findings.length === 0 ? { ok: true, module: admitted, manifest: parsed.manifest } : refused();
    }
    for (const { path, message } of parsed.problems)
      report.add("manifest", path === "" ? message : `${path}: ${message}`);
    return refused();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    report.add("malformed", `Cannot read the module: ${error.message}`, { offset: error.offset });
    return refused();
  }
}

interface Abi {
  readonly onTx: number;
  readonly outLength: number;
}

const FUNCTION_EXPORTS = [
  ["weir_manifest", "() → i32"],
  ["weir_reserve", "(i32) → i32"],
  ["weir_on_tx", "(i32)"],
  ["weir_out", "() → i32"],
] as const;

/** The README's table: what a module must export. */
function checkAbi(module: ParsedModule, report: Report): Abi {
  const find = (name: string, kind: ExternalKind): number => {
    const entry = module.exports.get(name);
    if (entry === undefined) {
      report.add("missing_export", `Cannot find export "${name}", expected a ${kind}`, { section: "export" });
      return -1;
    }
    if (entry.kind !== kind) {
      const place = { section: "export", offset: entry.offset, actual: entry.kind };
      report.add("export_type", `Cannot use export "${name}": a ${entry.kind}, expected a ${kind}`, place);
      return -1;
    }
    return entry.index;
  };
  const mistyped = (name: string, actual: string, expected: string) => {
    const offset = module.exports.get(name)!.offset;
    report.add("export_type", `Cannot use export "${name}": ${actual}, expected ${expected}`, {
      section: "export",
      offset,
      actual,
    });
  };

  for (const [name, { kind, index, offset }] of module.exports) {
    const there = {
      function: module.functions.length,
      global: module.globals.length,
      memory: module.memory ? 1 : 0,
      table: module.table ? 1 : 0,
    };
    if (index >= there[kind])
      report.add("index", `Cannot export "${name}": ${kind} ${index} is not there`, { section: "export", offset });
  }
  find("memory", "memory");
  if (module.memory === null) report.add("memory", "Cannot admit a module without a memory", { section: "memory" });
  let onTx = -1;
  for (const [name, expected] of FUNCTION_EXPORTS) {
    const index = find(name, "function");
    const type = module.types[module.functions[index] ?? -1];
    if (type !== undefined && typeText(type) !== expected) mistyped(name, typeText(type), expected);
    if (name === "weir_on_tx") onTx = index;
  }
  const version = module.globals[find("weir_abi", "global")];
  if (version !== undefined) {
    if (version.mutable || version.i32 === null) mistyped("weir_abi", "mutable or no i32", "an immutable i32");
    else if (version.i32 !== ABI_VERSION) {
      const place = { section: "global", limit: ABI_VERSION, actual: version.i32 };
      report.add(
        "abi_version",
        `Cannot run ABI ${version.i32}, expected ${ABI_VERSION}: build the rule with a matching SDK`,
        place,
      );
    }
  }
  const outLength = find("weir_out_length", "global");
  const length = module.globals[outLength];
  if (length !== undefined && (!length.mutable || length.type !== I32))
    mistyped("weir_out_length", "immutable or no i32", "a mutable i32");
  checkParameterArea(module, report);
  return { onTx, outLength };
}

/** Where a module takes the values of its parameters, if it does: constants, since they are written before anything of it runs. */
function checkParameterArea(module: ParsedModule, report: Report): void {
  const [place, room] = ["weir_parameters", "weir_parameters_bytes"].map((name) => {
    const entry = module.exports.get(name);
    if (entry === undefined) return undefined;
    const global = entry.kind === "global" ? module.globals[entry.index] : undefined;
    if (global && !global.mutable && global.i32 !== null) return global.i32 >>> 0;
    const actual = entry.kind === "global" ? "mutable or no i32" : `a ${entry.kind}`;
    const message = `Cannot use export "${name}": ${actual}, expected an immutable i32`;
    report.add("export_type", message, { section: "export", offset: entry.offset, actual });
    return null;
  });
  if (place === undefined && room === undefined) return;
  if (place === undefined || room === undefined)
    report.add("missing_export", "Cannot find weir_parameters and weir_parameters_bytes both: expected both, or neither", { section: "export" }); // biome-ignore format: one finding
  if (typeof place !== "number" || typeof room !== "number") return;
  report.limit("parameters", "the area of parameters (bytes)", room, MAX_PARAMETER_AREA, { section: "global" });
  const bytes = (module.memory?.minimum ?? 0) * 65_536;
  if (room < 8 || place % 8 !== 0 || place + room > bytes)
    report.add("parameters", `Cannot use the area of parameters at ${place}: ${room} bytes, expected a multiple of 8, at least 8 bytes, within the memory's first ${bytes}`, { section: "global", actual: place }); // biome-ignore format: one finding
}

/** The functions of the host that it imports are about something that its manifest declares; what it declares it can take. */
function checkDeclared(module: ParsedModule, manifest: Manifest, report: Report): void {
  for (const name of module.imports) {
    const { needs } = HOST_FUNCTIONS[name]!;
    if (needs === null || declares(manifest, needs)) continue;
    const message = `Cannot import "env.${name}": the manifest declares no ${needs}, expected a member "${needs}"`;
    report.add("undeclared_import", message, { section: "import" });
  }
  const typed = Object.values(manifest.parameters).some(({ type }) => type !== undefined);
  if (typed && !module.exports.has("weir_parameters"))
    report.add("parameters", "Cannot give the module its parameters: it exports no weir_parameters, expected the place where it reads them. Build it with this checkout's SDK"); // biome-ignore format: one finding
}

/** The module's sections with what the host adds; only the exports that the host uses are kept. */
function write(
  module: ParsedModule,
  abi: Abi,
  functions: HostFunctions,
  bodies: readonly ScannedBody[],
  stretches?: Stretch[][],
): Uint8Array {
  const globals = hostGlobals(module, globalsSetBy(abi.onTx, bodies, module), abi.outLength);
  const entries = guestEntries(module);
  const out = new Writer(module.bytes.length * 3 + 4096);
  out.bytes(module.bytes.subarray(0, 8));
  const section = (id: number, content: Uint8Array) => {
    out.u8(id);
    out.sized(content);
  };
  /** the section's own entries, then `more` of ours */
  const longer = (id: number, more: number, entries: readonly number[]) => {
    const raw = module.raw.get(id);
    const content = new Writer();
    content.u32((raw?.count ?? 0) + more);
    if (raw !== undefined) content.range(module.bytes, raw.items, raw.to);
    content.bytes(entries);
    section(id, content.done());
  };
  const asItIs = (id: number) => {
    const raw = module.raw.get(id);
    if (raw !== undefined) section(id, module.bytes.subarray(raw.from, raw.to));
  };
  const numbers = (fill: (content: Writer) => void): Uint8Array => {
    const content = new Writer();
    fill(content);
    return content.done();
  };

  const types = [...module.types.map(meteredType), ...hostTypes(module, entries)];
  section(
    SECTION.type,
    numbers((content) => {
      content.u32(types.length);
      for (const type of types) content.bytes(type);
    }),
  );
  const importTypes = types.length - module.imports.length;
  const { minimum, maximum } = module.memory!;
  section(
    SECTION.import,
    numbers((content) => {
      content.u32(module.imports.length + 1);
      for (const [i, name] of module.imports.entries()) {
        content.name("env");
        content.name(name);
        content.u8(0);
        content.u32(importTypes + i);
      }
      const { module: from, name } = memoryImport({ minimum, maximum });
      content.name(from);
      content.name(name);
      content.bytes([2, 1]);
      content.u32(minimum);
      content.u32(maximum);
    }),
  );
  const functionTypes = hostFunctionTypes(entries);
  const typeIndices = numbers((content) => {
    for (const type of functionTypes) content.u32(module.types.length + type);
  });
  longer(SECTION.function, functionTypes.length, [...typeIndices]);
  asItIs(SECTION.table);
  longer(SECTION.global, OWN_GLOBALS + globals.shadows.length, globalEntries(globals));
  section(SECTION.export, writeExports(module, globals, functions, entries));
  if (module.elements.length > 0)
    section(
      SECTION.element,
      numbers((content) => {
        content.u32(module.elements.length);
        for (const { start, functions: listed } of module.elements) {
          content.bytes([0, 0x41, ...signedLeb(start), 0x0b]);
          content.u32(listed.length);
          for (const index of listed) content.u32(index < module.imports.length ? functions.abort : index);
        }
      }),
    );
  // asc counts data always; without need, the count would tie the data to the code: see sharedCode.ts
  if (module.dataCount !== null && bodies.some(({ copiesData }) => copiesData))
    section(
      SECTION.dataCount,
      numbers((content) => content.u32(module.dataCount!)),
    );
  const counted = countedFunctions(bodies, module.imports.length);
  const guests = bodies.map((body, i) =>
    meteredBody(body, globals, counted.has(body.index), body.index === abi.onTx, stretches && (stretches[i] = [])),
  );
  const all = [...guests, ...hostBodies(module, globals, abi, entries)];
  const code = new Writer(module.bytes.length * 3 + 4096);
  code.u32(all.length);
  for (const body of all) code.sized(Uint8Array.from(body));
  section(SECTION.code, code.done());
  asItIs(SECTION.data);
  if (module.names !== null) {
    const names = numbers((content) => {
      content.name("name");
      content.range(module.bytes, module.names!.from, module.names!.to);
    });
    section(SECTION.custom, names);
  }
  return out.done().slice();
}

/** What the host calls of the guest's but weir_on_tx. The start section's function is among them, so that it runs with fuel. */
function guestEntries(module: ParsedModule): GuestEntry[] {
  const entries: { name: string; target: number }[] = FUNCTION_EXPORTS.map(([name]) => ({
    name,
    target: module.exports.get(name)!.index,
  }));
  if (module.start !== null) entries.push({ name: "weir_host_start", target: module.start });
  return entries
    .filter(({ name }) => name !== "weir_on_tx")
    .map((entry) => ({ ...entry, type: module.types[module.functions[entry.target]!]! }));
}

function writeExports(
  module: ParsedModule,
  globals: HostGlobals,
  functions: HostFunctions,
  guestEntries: readonly GuestEntry[],
): Uint8Array {
  const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;
  const optional = ["weir_parameters", "weir_parameters_bytes"].filter((name) => module.exports.has(name));
  const kept = ["memory", "weir_abi", "weir_out_length", ...optional];
  const entries: [string, ExternalKind, number][] = kept.map((name) => {
    const { kind, index } = module.exports.get(name)!;
    return [name, kind, index];
  });
  for (const name of ["fuel", "stack", "progress", "budget", "left", "starved"] as const) {
    entries.push([`weir_host_${name}`, "global", globals[name]]);
  }
  for (const name of ["grow", "snapshot", "run", "keep", "set"] as const)
    entries.push([`weir_host_${name}`, "function", functions[name]]);
  for (const [i, { name }] of guestEntries.entries()) entries.push([name, "function", functions.entries + i]);
  const content = new Writer();
  content.u32(entries.length);
  for (const [name, kind, index] of entries) {
    content.name(name);
    content.u8(KIND[kind]);
    content.u32(index);
  }
  return content.done();
}

/** V8's words about a module that it refuses, with the offset that it names. */
function whyInvalid(bytes: Uint8Array): { message: string; offset: number | null } {
  try {
    new WebAssembly.Module(bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const offset = /@\+(\d+)/.exec(text)?.[1];
    const message = text.replace(/^WebAssembly\.Module\(\): /, "").replace(/ @\+\d+$/, "");
    return { message: `Invalid module: ${message}`, offset: offset === undefined ? null : Number(offset) };
  }
  return { message: "Invalid module", offset: null };
}
