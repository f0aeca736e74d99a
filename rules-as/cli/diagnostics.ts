import type { RawDiagnostic } from "./compiler.ts";
export interface Diagnostic { severity: "error" | "warning"; text: string }
export function explain({ found, failure }: { file: string; files: Record<string, string>; library: Record<string, string>; found: readonly RawDiagnostic[]; failure: string | null; wasm: Uint8Array | null }): Diagnostic[] {
  const out: Diagnostic[] = found.map((f) => ({ severity: f.error ? "error" : "warning", text: `${f.file}:${f.start} ${f.code} ${f.message}` }));
  if (failure) out.push({ severity: "error", text: failure });
  return out;
}
