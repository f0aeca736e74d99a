/** A rule from a file, whatever the author has: the source is built, a module taken as it is, and both go through admission. */
import { readFile } from "node:fs/promises";
import { UsageError, UserError } from "../../ops/errors.ts";
import type { LiveRule } from "../../rules/catalogue.ts";
import { admit } from "../../sandbox/admit.ts";
import { describeFindings } from "./findings.ts";

export interface LoadedRule {
  /** As given. */
  readonly file: string;
  /** The module as the engine would be given it. */
  readonly wasm: Uint8Array;
  /** As a worker gets it. */
  readonly rule: LiveRule;
}

/** Bytes of the module in `file`: a .wasm as it is, a .ts compiled. @throws UserError with all mistakes of the source */
export async function loadModule(file: string): Promise<Uint8Array> {
  if (file.endsWith(".wasm"))
    return readFile(file).catch((error: Error) => {
      throw new UserError(`Cannot read "${file}": ${error.message}`);
    });
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

/** @throws UserError with every finding when the module is refused */
export async function loadRule(file: string): Promise<LoadedRule> {
  return admitRule(file, await loadModule(file));
}

/** The same of bytes that are there already. */
export function admitRule(file: string, wasm: Uint8Array): LoadedRule {
  const admitted = admit(wasm);
  if (!admitted.ok) throw new UserError(`Cannot admit "${file}":\n${describeFindings(admitted.findings)}`);
  const { manifest } = admitted;
  const module = new WebAssembly.Module(admitted.module);
  return { file, wasm, rule: { name: manifest.name, version: manifest.version ?? 1, manifest, module } };
}
