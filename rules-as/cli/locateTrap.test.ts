import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import { writeFrame } from "../../engine/frame/writeFrame.ts";
import { buildRule } from "./build.ts";
import { formatPlace, locateTrap } from "./locateTrap.ts";
import { functionBodies, parseSourceMap } from "./sourceMap.ts";
import { sampleTransaction, type TriedRule, tryModule } from "./tryRule.ts";

/** Each nonce fails in its own way, at a line that says which. */
const RULE = `import { Tx, Severity, alert, counter, keccak256 } from "@weir/rules";
import { third } from "./lists";

function ratio(a: u64, b: u64): u64 {
  return a / b; // nonce 1: division
}
function again(n: u64): u64 {
  return n == 0 ? 1 : again(n + 1) + n; // nonce 4: no end
}
export function onTx(tx: Tx): void {
  if (tx.nonce == 1) alert(Severity.Low, ratio(tx.gas, tx.nonce - 1).toString());
  if (tx.nonce == 2) alert(Severity.Low, third(<i32>tx.nonce + 1).toString());
  if (tx.nonce == 3) throw new Error("three");
  if (tx.nonce == 4) alert(Severity.Low, again(tx.nonce).toString());
  if (tx.nonce == 5) tx.log(0);
  if (tx.nonce == 6) unreachable();
  if (tx.nonce == 7) spin(tx.gas);
  if (tx.nonce == 8) hash(tx);
  if (tx.nonce == 9) for (let i: u64 = 0; i <= tx.gas; i += 0) seen.add(tx.from, 1);
}
const seen = counter("seen");
function hash(tx: Tx): void {
  for (;;) total += keccak256(tx.input).isZero ? 1 : 2;
}
let total: u64 = 0;
function spin(n: u64): void {
  while (n != 0) {
    n = (n * 3 + 1) | 1;
    total += n;
  }
}
`;
const LISTS = `const MANY: u64[] = [1, 2, 3];
export function third(i: i32): u64 {
  return MANY[i]; // nonce 2: past the end
}
`;

let folder: string;
let file: string;
let rule: TriedRule;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-trap-"));
  file = join(folder, "fails.ts");
  writeFileSync(file, RULE);
  writeFileSync(join(folder, "lists.ts"), LISTS);
  rule = tryModule((await buildRule(file)).wasm!);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function placeOf(nonce: number): Promise<string | null> {
  const transaction = sampleTransaction({ nonce: `0x${nonce}` });
  const { failure } = rule.run([transaction]).verdicts[0]!;
  expect(failure, `nonce ${nonce}`).not.toBeNull();
  const writer = createFrameWriter();
  writeFrame(writer, transaction);
  const place = await locateTrap(file, { message: failure!, frame: writer.bytes.slice(0, writer.end) });
  return place && formatPlace(place);
}

test.for([
  [1, "fails.ts:5:10", "return a / b;", "division"],
  [2, "lists.ts:3:", "return MANY[i];", "an index that the library checks"],
  [3, "fails.ts:13:22", 'throw new Error("three")', "an error thrown"],
  [4, "fails.ts:8:", "again(n + 1) + n", "endless recursion"],
  [5, "fails.ts:15:", "tx.log(0)", "an abort within the SDK"],
  [6, "fails.ts:16:", "unreachable()", "unreachable"],
  [7, "fails.ts:27:", "while (n != 0)", "out of fuel in a loop"],
  [8, "fails.ts:23:", "keccak256(tx.input)", "out of fuel within the SDK, called from a loop"],
  [9, "fails.ts:19:", "seen.add(tx.from, 1)", "out of fuel before a call of the host's"],
] as const)("nonce %i is found at %s: %s, %s", async ([nonce, place, line]) => {
  const found = await placeOf(nonce);
  expect(found?.startsWith(place), found ?? "no place").toBe(true);
  expect(found!.split("\n")[1]).toContain(line);
  expect(found!.split("\n")[2]).toMatch(/^ +\| +\^+$/);
});

test("the code is the same with and without a map", async () => {
  const [plain, mapped] = await Promise.all([buildRule(file), buildRule(file, { sourceMap: true })]);
  expect(plain.map).toBeNull();
  const bodies = functionBodies(plain.wasm!);
  expect(functionBodies(mapped.wasm!)).toEqual(bodies);
  const code = (wasm: Uint8Array) => Buffer.from(wasm.slice(bodies[0]!.from, bodies.at(-1)!.to)).toString("hex");
  expect(code(mapped.wasm!)).toBe(code(plain.wasm!));
  const offsets = parseSourceMap(mapped.map!).map(({ offset }) => offset);
  expect(offsets.length).toBeGreaterThan(100);
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
});
