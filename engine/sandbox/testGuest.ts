/** Compiles AssemblyScript in tests, without the SDK. */
import asc from "assemblyscript/asc";

/** @returns the module's bytes; throws with the compiler's words */
export async function compileGuest(source: string, options: readonly string[] = []): Promise<Uint8Array> {
  let wasm: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    ["guest.ts", "--outFile", "guest.wasm", "-O3", "--runtime", "stub", ...options],
    {
      readFile: (name) => (name === "guest.ts" ? source : null),
      writeFile: (name, contents) => {
        if (name === "guest.wasm") wasm = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === null) throw new Error(`Cannot compile the test's guest: ${stderr.toString()}`);
  return wasm;
}
