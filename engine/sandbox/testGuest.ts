/** Compiles AssemblyScript in tests, without the SDK. */
import { compileOnce } from "../../rules-as/cli/keptAnswers.ts";

/** @returns the module's bytes; throws with the compiler's words */
export async function compileGuest(source: string, options: readonly string[] = []): Promise<Uint8Array> {
  const argv = ["guest.ts", "--outFile", "rule.wasm", "-O3", "--runtime", "stub", ...options];
  const { wasm, found, failure } = await compileOnce({ files: { "guest.ts": source }, library: {}, argv });
  const words = failure ?? found.filter(({ error }) => error).map(({ message }) => message).join("\n"); // biome-ignore format: one expression
  if (wasm === null || words !== "") throw new Error(`Cannot compile the test's guest: ${words}`);
  return wasm;
}
