/** The files that make up a rule: the SDK, the rule and what it imports beside it, and the generated entry. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { FACTS_VERSION } from "../../engine/chain/facts/schema.ts";

const SDK = fileURLToPath(new URL("../assembly/", import.meta.url));

/** The SDK as asc's library files, by path without extension; the arena takes the place of asc's bump allocator. */
export function sdkSources(): Record<string, string> {
  const library: Record<string, string> = {};
  for (const file of readdirSync(SDK).sort()) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(join(SDK, file), "utf8");
    library[file === "arena.ts" ? "rt/stub" : `@weir/rules/${basename(file, ".ts")}`] = text;
  }
  return library;
}

const LOCAL_IMPORT = /\bfrom\s*["'](\.{1,2}\/[^"']+)["']/g;

/**
 * The rule and every file that it imports by a relative path, by path from the rule's folder with forward slashes: so
 * the same source gives the same bytes wherever it lies. A file that is not there is left to the compiler to report.
 */
export function ruleSources(file: string): Record<string, string> {
  const root = dirname(file);
  const files: Record<string, string> = {};
  const visit = (path: string, required: boolean) => {
    const key = relative(root, path).replaceAll("\\", "/");
    if (key in files) return;
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (required) throw error;
      return;
    }
    files[key] = text;
    for (const [, target] of text.matchAll(LOCAL_IMPORT)) {
      const local = join(dirname(path), target!.replace(/\.ts$/, ""));
      visit(`${local}.ts`, false);
      visit(join(local, "index.ts"), false);
    }
  };
  visit(file, true);
  return files;
}

export const ENTRY = "weir-entry.ts";

/** Whether a rule may declare parameters: what does not has no place for their values, which would cost each instance 4 KiB. */
export const mentionsParameters = (files: Readonly<Record<string, string>>): boolean =>
  Object.values(files).some((text) => /\bparam\b/.test(text));

/** Whether a rule may read facts: what does not is shown transactions without them. One word too many costs nothing but a copy. */
export const mentionsFacts = (files: Readonly<Record<string, string>>): boolean =>
  Object.values(files).some((text) =>
    /\.(swapCount|swaps|arbitrages?|sandwiches|sandwichRole|liquidations|jits|isRouterArbitrage|isFailedAttempt|risk)\b/.test(
      text,
    ),
  );

/** Exports the ABI and calls the rule. Written here so that an author writes `onTx` and nothing else. */
export function entrySource(module: string, name: string, { parameters = false, facts = false } = {}): string {
  const area = 'export { weir_parameters, weir_parameters_bytes } from "@weir/rules/parameterArea";\n';
  return `import { onTx } from ${JSON.stringify(`./${module}`)};
import { Tx, endInitialisation, setDefaultName${facts ? ", setFacts" : ""} } from "@weir/rules/abi";
export { weir_abi, weir_manifest, weir_reserve, weir_out, weir_out_length } from "@weir/rules/abi";
${parameters ? area : ""}export function weir_on_tx(frame: usize): void {
  onTx(changetype<Tx>(frame));
}
setDefaultName(${JSON.stringify(name)});
${facts ? `setFacts(${FACTS_VERSION});\n` : ""}endInitialisation();
`;
}
