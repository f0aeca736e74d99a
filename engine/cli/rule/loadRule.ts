/** A rule from a file, whatever the author has: a source is built, a module taken as it is, and both go through admission. */
import { readFile } from "node:fs/promises";
import { UsageError, UserError } from "../../ops/errors.ts";
import type { LiveRule } from "../../rules/liveRule.ts";
import { admitAside } from "../../sandbox/admitAside.ts";
import { describeFindings } from "./findings.ts";

export interface LoadedRule {
  /** As given. */
  readonly file: string;
  /** As a worker gets it. */
  readonly rule: LiveRule;
}

/** Bytes of the module in `file`: a .wasm as it is, a .ts compiled. @throws UserError with all mistakes of the source */
export async function loadModule(file: string): Promise<Uint8Array> {
  if (file.endsWith(".wasm")) return readRuleFile(file);
  if (!file.endsWith(".ts"))
    throw new UsageError(`Cannot take "${file}": expected a module (.wasm) or a rule's source (.ts)`);
  return buildModule(file);
}

/** @throws UserError with all mistakes of the source, as the compiler's front page has them */
export async function buildModule(file: string): Promise<Uint8Array> {
  const { buildRule } = await import("../../../rules-as/cli/build.ts");
  const { formatDiagnostic } = await import("../../../rules-as/cli/diagnostics.ts");
  const { wasm, diagnostics } = await buildRule(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === undefined) throw error;
    throw new UserError(`Cannot read "${file}": ${error.message}`, { next: "npx weir rule new NAME begins one" });
  });
  const said = diagnostics.map(formatDiagnostic);
  if (wasm === null) throw new UserError(`Cannot build "${file}":\n\n${said.join("\n\n")}\n`);
  for (const warning of said) process.stderr.write(`${warning}\n`);
  return wasm;
}

/**
 * A rule as the engine would run it: a module, built first if it is a source, or a JSON rule.
 * @throws UserError with every finding when it is refused
 */
export async function loadRule(file: string): Promise<LoadedRule> {
  if (file.endsWith(".json")) return { file, rule: await loadJsonRule(file) };
  const admitted = await admitAside(await loadModule(file));
  if (!admitted.ok) throw new UserError(`Cannot admit "${file}":\n${describeFindings(admitted.findings)}`);
  const { manifest } = admitted;
  const module = new WebAssembly.Module(admitted.module);
  return { file, rule: { name: manifest.name, version: manifest.version ?? 1, manifest, module } };
}

async function loadJsonRule(file: string): Promise<LiveRule> {
  const { parseJsonRuleText } = await import("../../rules/jsonRule.ts");
  const parsed = parseJsonRuleText(await readRuleFile(file, "utf8"));
  if (!parsed.ok) {
    const problems = parsed.problems.map(({ path, message }) => `  ${path === "" ? "rule" : path}: ${message}`);
    throw new UserError(`Cannot take the rule "${file}":\n${problems.join("\n")}`);
  }
  const { name, manifest, condition, silent } = parsed.rule;
  return { name, version: 1, manifest, condition, silent, module: null };
}

function readRuleFile(file: string): Promise<Buffer<ArrayBuffer>>;
function readRuleFile(file: string, encoding: "utf8"): Promise<string>;
function readRuleFile(file: string, encoding?: "utf8"): Promise<string | Buffer> {
  return readFile(file, encoding).catch((error: Error) => {
    throw new UserError(`Cannot read "${file}": ${error.message}`);
  });
}
