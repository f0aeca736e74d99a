/**
 * The AssemblyScript compiler in a thread of its own: a compilation that never ends can be stopped, and what asc does to
 * its process stays here. Plain JavaScript, so that it starts under any loader.
 */
import { parentPort } from "node:worker_threads";
import * as asc from "assemblyscript/asc";

// When asc crashes it prints a report and calls process.exit, which would also swallow messages on their way out.
let report = "";
console.error = (...parts) => {
  report += `${parts.join(" ")}\n`;
};
process.exit = () => {
  throw new Error(`The compiler crashed\n${report}`.trim());
};

/** asc's own library: what a request adds or replaces is there for that request alone. */
const own = { ...asc.libraryFiles };

/** @param {{ id: number, files: Record<string, string>, library: Record<string, string>, argv: string[] }} request */
async function compile({ id, files, library, argv }) {
  // asc picks its compile-time behaviour by the runtime's name and has no name for ours: "stub" it is, with our arena inside.
  for (const name of Object.keys(asc.libraryFiles)) if (!(name in own)) delete asc.libraryFiles[name];
  Object.assign(asc.libraryFiles, own, library);
  let wasm = null;
  let map = null;
  const found = [];
  const options = {
    readFile: (name) => files[name.replaceAll("\\", "/")] ?? null,
    writeFile: (name, contents) => {
      if (name === "rule.wasm") wasm = contents;
      if (name === "rule.wasm.map") map = contents;
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
  };
  const { error, stderr } = await asc.main(argv, options).catch((error) => ({ error, stderr: "" }));
  const failure = error && !found.some((one) => one.error) ? `${error.message}\n${stderr}`.trim() : null;
  parentPort.postMessage({ id, wasm, map, found, failure });
}

parentPort.on("message", compile);
