/**
 * A rule's module that also exports the loop that admission would add, without fuel, stack, marks and resets: so the very same bytes
 * can be run metered, after admission, and as they are.
 */

import { FLAGS } from "../../rules-as/cli/build.ts";
import { compileOnce } from "../../rules-as/cli/keptAnswers.ts";
import { ENTRY, entrySource, mentionsParameters, sdkSources } from "../../rules-as/cli/sources.ts";

/** What the SDK keeps in globals and counts on finding as it was before each transaction. */
const RESETS: Readonly<Record<string, string>> = {
  "rt/stub": "export function resetArena(): void { offset = 0; limit = 0; }",
  "@weir/rules/tx": "export function resetLogs(): void { lastLog = 0; lastLogPointer = 0; }",
  "@weir/rules/results": "export function resetResults(): void { truncated = false; count = 0; }",
};

const LOOP = `
import { weir_out_length as outLength } from "@weir/rules/abi";
import { resetArena } from "rt/stub";
import { resetLogs } from "@weir/rules/tx";
import { resetResults } from "@weir/rules/results";
export function bench_run(table: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    resetArena();
    resetLogs();
    resetResults();
    weir_on_tx(load<u32>(table + i * 4));
    store<u32>(table + i * 4, outLength);
  }
}
`;

/**
 * @param source AssemblyScript with the SDK, as an author writes it
 * @throws Error with the compiler's words
 */
export async function compileWithLoop(name: string, source: string): Promise<Uint8Array<ArrayBuffer>> {
  const library = sdkSources();
  for (const [path, reset] of Object.entries(RESETS)) library[path] += reset;
  const files = {
    [`${name}.ts`]: source,
    [ENTRY]: entrySource(name, name, { parameters: mentionsParameters({ source }) }) + LOOP,
  };
  const { wasm, found, failure } = await compileOnce({ files, library, argv: [ENTRY, ...FLAGS] });
  if (wasm === null)
    throw new Error(`Cannot compile the rule "${name}": ${failure ?? found.map(({ message }) => message).join("; ")}`);
  return Uint8Array.from(wasm);
}
