/** The thread that admitAside keeps: one module after the other, each answered in turn. */
import { parentPort } from "node:worker_threads";
import { type Admission, admit } from "./admit.ts";
import { SandboxExhausted } from "./trap.ts";

/** What goes wrong with the engine, not with the module, is told apart: errors lose their class on the way between threads. */
export type AdmissionAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "admission"; readonly admission: Admission }
  | { readonly kind: "exhausted" | "error"; readonly message: string };

function answer(bytes: Uint8Array): AdmissionAnswer {
  try {
    return { kind: "admission", admission: admit(bytes) };
  } catch (error) {
    if (error instanceof SandboxExhausted) return { kind: "exhausted", message: error.message };
    return { kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const port = parentPort!;
port.on("message", (bytes: Uint8Array) => {
  const told = answer(bytes);
  const moved = told.kind === "admission" && told.admission.ok ? [told.admission.module.buffer as ArrayBuffer] : [];
  port.postMessage(told, moved);
});
port.postMessage({ kind: "ready" } satisfies AdmissionAnswer);
