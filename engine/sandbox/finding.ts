/** One violation that admission found, with its place: the shape of `weir rule check --json`. */
export interface Finding {
  readonly code: FindingCode;
  /** For a human: what is wrong, what was expected */
  readonly message: string;
  readonly section: string | null;
  /** index in the module's function space, imports first */
  readonly function: number | null;
  /** in bytes from the module's first */
  readonly offset: number | null;
  readonly limit: number | null;
  readonly actual: number | string | null;
}

export type FindingCode =
  | "malformed" // not a WebAssembly binary, or cut short
  | "invalid" // well formed, but the engine's validation refuses it
  | "module_too_large"
  | "too_many" // types, functions, globals, segments …: `message` names what
  | "unknown_import"
  | "import_type"
  | "undeclared_import" // the manifest declares nothing that the function is about
  | "missing_export"
  | "export_type"
  | "reserved_name"
  | "abi_version"
  | "memory"
  | "table"
  | "data"
  | "elements"
  | "unsupported" // an instruction or a proposal that is not admitted
  | "function_too_large"
  | "too_many_locals"
  | "br_table_too_large"
  | "nested_too_deep"
  | "index" // refers to a function, global, type … that is not there
  | "initialization" // traps while it starts or tells its manifest
  | "manifest"
  | "parameters" // where it reads them, or what they do with these values
  | "carries_state" // what it says about a transaction depends on those around it
  | "too_complex" // its branches times its locals: what V8's compiler takes long for
  | "timeout" // admission took too long
  | "crash"; // admission's thread died of it

/** More than an author can read at once; a hostile module could make a million. */
const MAX_FINDINGS = 100;

export interface Report {
  readonly findings: Finding[];
  add(code: FindingCode, message: string, place?: Partial<Omit<Finding, "code" | "message">>): void;
  /** Adds a finding if actual is over limit. */
  limit(code: FindingCode, what: string, actual: number, limit: number, place?: Partial<Finding>): void;
}

/** Collects findings, the first 100. */
export function createReport(): Report {
  const findings: Finding[] = [];
  const add: Report["add"] = (code, message, place = {}) => {
    if (findings.length >= MAX_FINDINGS) return;
    findings.push({ code, message, section: null, function: null, offset: null, limit: null, actual: null, ...place });
  };
  return {
    findings,
    add,
    limit(code, what, actual, limit, place = {}) {
      if (actual > limit)
        add(code, `Cannot admit ${what}: ${actual}, expected at most ${limit}`, { ...place, limit, actual });
    },
  };
}
