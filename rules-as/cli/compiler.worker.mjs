/**
 * The AssemblyScript compiler in a thread of its own: when it crashes it calls process.exit, which here ends the thread
 * and not the engine, and a compilation that never ends can be stopped. Plain JavaScript, so that it starts under any loader.
 */
import { parentPort } from "node:worker_threads";
import * as asc from "assemblyscript/asc";

/** @param {{ id: number, files: Record<string, string>, library: Record<string, string>, argv: string[] }} request */
async function compile({ id, files, library, argv }) {
  // asc picks its compile-time behaviour by the runtime's name and has no name for ours: "stub" it is, with our arena inside.
  Object.assign(asc.libraryFiles, library);
  let wasm = null;
  const found = [];
  const { error, stderr } = await asc.main(argv, {
    readFile: (name) => files[name.replaceAll("\\", "/")] ?? null,
    writeFile: (name, contents) => {
      if (name === "rule.wasm") wasm = contents;
    },
    listFiles: () => [],
    reportDiagnostic: ({ code, category, message, range }) =>
      found.push({
        code,
        error: category === 3,
        message,
        file: range?.source.normalizedPath ?? null,
        start: range?.start ?? 0,
        end: range?.end ?? 0,
      }),
  });
  const failure = error && found.length === 0 ? `${error.message}\n${stderr.toString()}`.trim() : null;
  parentPort.postMessage({ id, wasm, found, failure });
}

parentPort.on("message", compile);
