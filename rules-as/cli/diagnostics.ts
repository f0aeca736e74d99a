/** Turns what the compiler says into what a rule's author can act on: place, sentence, hint, the line itself. */
import { HOST_FUNCTIONS } from "../../engine/sandbox/hostFunctions.ts";
import type { RawDiagnostic } from "./compiler.ts";
import { nearest, type SdkNames, sdkNames } from "./sdkNames.ts";
import { ENTRY } from "./sources.ts";
import { unsupported } from "./unsupported.ts";

export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** as the author knows it, relative to the rule's folder */
  readonly file: string;
  /** from 1; 0 if there is no place */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** the source line with the place underlined; empty if there is no place */
  readonly codeFrame: string;
}

export interface Compilation {
  /** the rule's file name */
  readonly file: string;
  readonly files: Readonly<Record<string, string>>;
  readonly library: Readonly<Record<string, string>>;
  readonly found: readonly RawDiagnostic[];
  readonly failure: string | null;
  readonly wasm: Uint8Array | null;
}

interface Mistake {
  readonly error: boolean;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** All mistakes of a compilation in the order of their places, one for each place. */
export function explain(compilation: Compilation): Diagnostic[] {
  const { file, files, found, failure, wasm } = compilation;
  const names = sdkNames(compilation.library);
  const mistakes: Mistake[] = [];
  for (const raw of found) {
    if (raw.file === ENTRY) mistakes.push(wrongOnTx(file, files));
    else
      mistakes.push({
        ...raw,
        file: raw.file ?? file,
        message: unsupported(plain(raw.message), files[raw.file ?? file], raw.start) ?? sentence(raw, names),
      });
  }
  if (wasm) mistakes.push(...hostCalls(wasm, files, file));
  mistakes.push(...sameObject(files));
  const diagnostics = mistakes
    .filter(firstOfItsPlace)
    .sort(byPlace)
    .map((mistake) => place(mistake, files));
  if (failure !== null) {
    const message = `Cannot build "${file}": ${failure}. It is the compiler's fault, not yours: try the rule in parts to find what it can not take`;
    diagnostics.push({ severity: "error", file, line: 0, column: 0, message, codeFrame: "" });
  }
  return diagnostics;
}

/** `big-approval.ts:6:18  Cannot …` and the line below it. */
export function formatDiagnostic({ file, line, column, message, codeFrame }: Diagnostic): string {
  const where = line > 0 ? `${file}:${line}:${column}` : file;
  return codeFrame ? `${where}  ${message}\n${codeFrame}` : `${where}  ${message}`;
}

type Explain = (names: SdkNames, ...groups: string[]) => string;

/** Messages of asc that can be said better. The first that fits is taken; its groups are the names it quotes. */
const SENTENCES: readonly (readonly [RegExp, Explain])[] = [
  [/^Property '(.+)' does not exist on type '(.+)'/, unknownMember],
  [/^Module '@weir\/rules' has no exported member '(.+)'/, unknownExport],
  [
    /^Cannot find name 'any'/,
    () => `Cannot use "any": AssemblyScript has no such type, expected a type of its own such as u64, string or U256`,
  ],
  [/^Cannot find name '(.+)'/, unknownName],
  [
    /^Not implemented: Closures/,
    () =>
      "Cannot use a variable of the function around: AssemblyScript has no closures. Hand it over as a parameter, or write a for loop",
  ],
  [
    /^Not implemented: Exceptions/,
    () =>
      "Cannot catch: AssemblyScript has no exceptions, an abort ends the transaction. Ask first: tx.hasArg(i), log.hasWord(i)",
  ],
  [
    /^Type '(.+)' is not assignable to type 'U256'/,
    (_, from) => `Cannot use ${from} as U256: expected an amount such as ether(5), units("0.5", 18) or u256("5")`,
  ],
  [
    /^Type '(.+)' is not assignable to type 'string'/,
    (_, from) => `Cannot use ${from} as string: expected text, such as a template: \`\${value}\``,
  ],
  [
    /^Conversion from type 'f64' to type 'u64'|^Conversion from type 'f64' to 'u64'/,
    () => `Cannot use a fraction as a whole number: for half an ether write units("0.5", 18)`,
  ],
  [/^File '(.+)' not found/, (_, path) => notFound(path!)],
];

/** Types as the author writes them: `~lib/@weir/rules/u256/U256` is U256. */
function plain(message: string): string {
  return message
    .replace(/~lib\/@weir\/rules\/\w+\/(\w+)/g, "$1")
    .replaceAll("~lib/@weir/rules", "@weir/rules")
    .replace(/~lib\/string\/String/g, "string")
    .replace(/~lib\/(?:\w+\/)+(\w+)/g, "$1");
}

function sentence({ code, message }: RawDiagnostic, names: SdkNames): string {
  const text = code === 6054 ? message : plain(message);
  for (const [pattern, better] of SENTENCES) {
    const match = pattern.exec(text);
    if (match) return better(names, ...match.slice(1));
  }
  return text.replace(/\.$/, "");
}

function didYouMean(name: string | null): string {
  return name ? `. Did you mean "${name}"?` : "";
}

function unknownMember(names: SdkNames, member = "", type = ""): string {
  const near = nearest(member, names.members.get(type) ?? []);
  const owners = [...names.members]
    .filter(([owner, list]) => owner !== type && list.includes(member))
    .map(([owner]) => owner);
  const state = owners.length > 0 ? `it exists on ${owners.join(", ")}` : "there is no such member";
  return `Cannot use "${member}" on ${type}: ${state}${didYouMean(near)}`;
}

function unknownExport(names: SdkNames, name = ""): string {
  return `Cannot import "${name}": "@weir/rules" does not export it${didYouMean(nearest(name, names.exports))}`;
}

function unknownName(names: SdkNames, name = ""): string {
  if (names.exports.includes(name)) return `Cannot find "${name}": expected import { ${name} } from "@weir/rules"`;
  return `Cannot find "${name}": it is not declared${didYouMean(nearest(name, names.exports))}`;
}

function notFound(path: string): string {
  if (!path.startsWith("~lib/")) return `Cannot find the file "${path}"`;
  const name = path.slice("~lib/".length).replace(/\.ts$/, "");
  return `Cannot import "${name}": a rule can import "@weir/rules" and files beside it`;
}

/** Whatever is wrong in the generated entry is wrong with the author's `onTx`. */
function wrongOnTx(file: string, files: Readonly<Record<string, string>>): Mistake {
  const text = files[file]!;
  const declared = /\b(?:function|const|let)\s+(onTx)\b/.exec(text);
  const near = declared ?? /\bfunction\s+(on_?tx\w*)\b/i.exec(text);
  const start = near ? near.index + near[0].lastIndexOf(near[1]!) : 0;
  const end = start + (near ? near[1]!.length : 1);
  const state = !near ? "it has none" : declared ? "it is not exported, or not such a function" : `it has "${near[1]}"`;
  const message = `Cannot find the rule's function "onTx": ${state}, expected export function onTx(tx: Tx): void`;
  return { error: true, file, start, end, message };
}

/** Where calls to the outside come from; the module's imports say that there are some. */
const OUTSIDE: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^console\./, /\bconsole\s*\.\s*\w+/g, "a rule has no console: report with alert and tag"],
  [/^Date\./, /\bDate\s*\.\s*now|\bnew\s+Date\b/g, "a rule has no clock: use tx.blockTimestamp or tx.seenAt"],
  [
    /^seed$/,
    /\bMath\s*\.\s*(?:random|seedRandom)/g,
    "a rule has no randomness: the same transaction must give the same results",
  ],
  [/^trace$/, /\btrace\s*\(/g, "a rule has no console: report with alert and tag"],
];

function hostCalls(wasm: Uint8Array, files: Readonly<Record<string, string>>, rule: string): Mistake[] {
  const imports = importsOf(new WebAssembly.Module(wasm));
  return imports.flatMap(({ module, name }) => {
    if (module === "env" && Object.hasOwn(HOST_FUNCTIONS, name)) return [];
    const known = OUTSIDE.find(([imported]) => imported.test(name));
    const why = known?.[2] ?? "a rule can call nothing outside itself";
    const pattern = known?.[1] ?? new RegExp(`\\bdeclare\\s+function\\s+${name.replace(/\W/g, "\\$&")}\\b`, "g");
    const places = Object.entries(files).flatMap(([file, text]) =>
      [...text.matchAll(pattern)].map((match) => ({ file, start: match.index, end: match.index + match[0].length })),
    );
    if (places.length === 0) places.push({ file: rule, start: 0, end: 0 });
    return places.map((at) => ({ ...at, error: true, message: `Cannot call "${name}": ${why}` }));
  });
}

/** `===` compiles, and asks whether two values lie in the same place: of two amounts that is never what was meant. */
function sameObject(files: Readonly<Record<string, string>>): Mistake[] {
  return Object.entries(files)
    .filter(([file]) => file !== ENTRY)
    .flatMap(([file, text]) =>
      [...text.matchAll(TEXT_OR_IDENTITY)].flatMap(({ 1: operator, index }) => {
        if (operator === undefined) return [];
        const message = `"${operator}" asks whether both are one object in memory: expected "${operator.slice(0, 2)}", which compares values`;
        return { error: false, file, start: index, end: index + 3, message };
      }),
    );
}

/** Comments and texts, to be passed over, or the operator. */
const TEXT_OR_IDENTITY = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|([=!]==)/g;

const { imports: importsOf } = WebAssembly.Module as unknown as {
  imports(module: WebAssembly.Module): { module: string; name: string }[];
};

/** asc reports a closure's variable as unassigned first: of several at one place the last says most. */
function firstOfItsPlace(mistake: Mistake, index: number, all: readonly Mistake[]): boolean {
  return !all.slice(index + 1).some((other) => other.file === mistake.file && other.start === mistake.start);
}

function byPlace(a: Mistake, b: Mistake): number {
  return a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1;
}

function place({ error, file, start, end, message }: Mistake, files: Readonly<Record<string, string>>): Diagnostic {
  const severity = error ? "error" : "warning";
  const text = files[file];
  if (text === undefined || end === 0) return { severity, file, line: 0, column: 0, message, codeFrame: "" };
  const before = text.slice(0, start).split("\n");
  const line = before.length;
  const column = before.at(-1)!.length + 1;
  return { severity, file, line, column, message, codeFrame: codeFrameOf(text, line, column, end - start) };
}

/** The line with `width` characters from `column` (from 1) underlined, no further than its end. */
export function codeFrameOf(text: string, line: number, column: number, width: number): string {
  const source = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  const carets = "^".repeat(Math.max(1, Math.min(width, source.length - column + 1)));
  const gutter = String(line).padStart(5);
  // A tab takes as much room in the line of carets as above it.
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, " ");
  return `${gutter} | ${source}\n${" ".repeat(gutter.length)} | ${indent}${carets}`;
}
