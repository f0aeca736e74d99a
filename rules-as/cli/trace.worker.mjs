/**
 * One transaction through a module as its author wrote it, without metering: the trap's stack then has offsets that the source
 * map knows. In a thread of its own, since without metering nothing else would end it.
 */
import { parentPort, workerData } from "node:worker_threads";

Error.stackTraceLimit = 50;

const { wasm, frame } = workerData;
let stack = "";
try {
  const abort = () => {
    throw new Error("abort");
  };
  const module = new WebAssembly.Module(wasm);
  // what else it may ask of its host knows nothing here
  const others = WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]);
  const { exports } = new WebAssembly.Instance(module, { env: { ...Object.fromEntries(others), abort } });
  const input = exports.weir_reserve(frame.length);
  exports.weir_out();
  new Uint8Array(exports.memory.buffer, input, frame.length).set(frame);
  exports.weir_out_length.value = 0;
  exports.weir_on_tx(input);
} catch (error) {
  stack = error.stack;
}
// `at rule/onTx (wasm://wasm/0123abcd:wasm-function[12]:0x1f3)`, the innermost first
parentPort.postMessage(
  [...stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, hex]) => Number.parseInt(hex, 16)),
);
