/** A rule from a file, whatever the author has: a source is built, a module taken as it is, and both go through admission; or JSON. */
import { readFile } from "node:fs/promises";
import type { RuleKind } from "../../control/schema.ts";
import { UsageError, UserError } from "../../ops/errors.ts";
import { loadPrepared, prepare } from "../../rules/content.ts";
import type { LiveRule } from "../../rules/liveRule.ts";
import { describeFindings } from "./findings.ts";
import { type GivenValues, runWith } from "./values.ts";

export interface LoadedRule {
  /** As given. */
  readonly file: string;
  /** As a worker gets it. */
  readonly rule: LiveRule;
}

/** What a file holds of a rule: a module, built first if it is a source, or the text of a JSON rule. */
export interface RuleContent {
  readonly kind: RuleKind;
  readonly bytes: Uint8Array;
}

/** @throws UserError with all mistakes of a source, UsageError for a file of another kind */
export async function readContent(file: string): Promise<RuleContent> {
  if (file.endsWith(".json")) return { kind: "json", bytes: await readRuleFile(file) };
  if (file.endsWith(".wasm")) return { kind: "wasm", bytes: await readRuleFile(file) };
  if (file.endsWith(".ts")) return { kind: "wasm", bytes: await buildModule(file) };
  throw new UsageError(
    `Cannot take "${file}": expected a rule's source (.ts), a module (.wasm) or a JSON rule (.json)`,
  );
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
 * A rule as the engine would run it.
 * @param given values of its parameters that are not to have their defaults
 * @throws UserError with every finding when it is refused
 */
export async function loadRule(file: string, given: GivenValues = {}): Promise<LoadedRule> {
  const { kind, bytes } = await readContent(file);
  const preparation = await prepare(kind, bytes);
  if (!preparation.ok) throw new UserError(`Cannot admit "${file}":\n${describeFindings(preparation.findings)}`);
  const { manifest } = preparation.prepared;
  const runnable = runWith(file, loadPrepared(preparation.prepared), given);
  return { file, rule: { ...runnable, name: manifest.name, version: manifest.version ?? 1 } };
}

async function readRuleFile(file: string): Promise<Buffer<ArrayBuffer>> {
  return readFile(file).catch((error: Error) => {
    throw new UserError(`Cannot read "${file}": ${error.message}`);
  });
}
