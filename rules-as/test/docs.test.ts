/** Whatever an author's editor can show has a sentence: every export of the SDK, and every public member of what it exports. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SDK = new URL("../assembly/", import.meta.url);
/** What authors never import. */
const INTERNAL = ["abi.ts", "arena.ts", "frame.ts", "hex.ts", "index.ts", "parameterArea.ts"];

const exported = [...readFileSync(new URL("index.ts", SDK), "utf8").matchAll(/^export \{ (.*) \}/gm)].flatMap(
  ([, list]) => list!.split(", "),
);
const DECLARATION = /^export (?:class|enum|function|const|namespace) (\w+)/;
const MEMBER =
  /^ {2}(?!private|constructor)(?:@operator\("[^"]+"\) ?)?(?:export function |static |get )?(\w+)?(?:\(|$)/;

/** Names without a comment that ends in the line above, decorators left out. */
function undocumented(file: string): string[] {
  const lines = readFileSync(new URL(file, SDK), "utf8").split("\n");
  const missing: string[] = [];
  let within: string | null = null;
  let [seen, above] = [0, ""];
  for (const line of lines) {
    const name = DECLARATION.exec(line)?.[1];
    if (name !== undefined) within = exported.includes(name) || name === "filter" ? name : null;
    else if (line.startsWith("}")) within = null;
    else if (/^class Filter/.test(line)) within = "filter";
    const member = within !== null && name === undefined && /\{( return .*)?$/.test(line) ? MEMBER.exec(line) : null;
    if ((name !== undefined && within !== null) || member) {
      seen++;
      if (!above.endsWith("*/")) missing.push(`${file}: ${within}${member ? `.${member[1] ?? line.trim()}` : ""}`);
    }
    if (!/^ *@(unmanaged|operator\("[^"]+"\))$/.test(line)) above = line;
  }
  expect(seen, file).toBeGreaterThan(0);
  return missing;
}

test.for(readdirSync(SDK).filter((file) => file.endsWith(".ts") && !INTERNAL.includes(file)))(
  "%s has a comment above everything public",
  (file) => {
    expect(undocumented(file)).toEqual([]);
  },
);
