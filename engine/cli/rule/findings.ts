/** What admission found, as a person reads it: a table, and what to do about each kind. */
import type { Finding, FindingCode } from "../../sandbox/finding.ts";
import { narrowTable } from "../terminal.ts";

const REBUILD = "Build the rule with this checkout's SDK: npx weir rule build FILE.ts";
const SMALLER = "Make the rule smaller: shorter lists, fewer imports; limits stand in engine/sandbox/limits.ts";

/** The next step for each kind of finding. */
const NEXT: Partial<Record<FindingCode, string>> = {
  malformed: "The file is no whole WebAssembly module: build or copy it again",
  invalid: "The compiler that made it is broken or the file was changed: build it again",
  module_too_large: SMALLER,
  too_many: SMALLER,
  unknown_import: "A rule can call nothing outside itself: remove console, Date, Math.random, and declare function",
  import_type: REBUILD,
  undeclared_import: 'Declare it with the SDK, at the top level: const seen = counter("seen")',
  missing_export: REBUILD,
  export_type: REBUILD,
  reserved_name: "Names that begin with weir_host_ are the engine's: give the export another name",
  abi_version: REBUILD,
  memory: "One memory of at most 64 pages, not shared: build with the SDK, which sees to it",
  table: "One table, within its limit: fewer functions that are used as values",
  data: "Shorter texts and lists: what is long belongs into several rules",
  elements: "Fewer functions that are used as values",
  unsupported: "Build without threads, SIMD, exceptions and reference types: the SDK's flags do",
  function_too_large: "Cut the function into several",
  too_many_locals: "Cut the function into several",
  br_table_too_large: "Cut the switch into several",
  nested_too_deep: "Put the inner blocks into functions of their own",
  index: "The compiler that made it is broken or the file was changed: build it again",
  initialization: "Look at the statements outside of functions: they run when the rule is loaded, under fuel",
  carries_state:
    "Let what is said of a transaction depend on it alone: fill every byte that the rule reads, keep nothing in memory",
  too_complex: "Cut the function into several: fewer branches and locals each",
  timeout: SMALLER,
  crash: SMALLER,
  parameters: REBUILD,
  manifest: "Look at what the rule declares: name, version, severity, filter, parameters; or at the JSON's members",
};

const COLUMNS = ["code", "section", "function", "offset", "limit", "actual", "message"] as const;

/** Every finding with its place, then the next steps, each once. @param width of the terminal */
export function describeFindings(findings: readonly Finding[], width = 120): string {
  // a place that no finding has takes no room
  const columns = COLUMNS.filter((column) => findings.some((finding) => finding[column] !== null));
  const rows = findings.map((finding) =>
    Object.fromEntries(columns.map((column) => [column, String(finding[column] ?? "")])),
  );
  const next = [...new Set(findings.map(({ code }) => nextStep(code)))];
  return `${narrowTable(rows, width)}\n${next.map((step) => `next  ${step}\n`).join("")}`;
}

const nextStep = (code: FindingCode): string => NEXT[code] ?? "engine/sandbox/README.md says what a module must be";
