import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseJsonRule } from "../rules/jsonRule.ts";
import { OPERATORS } from "./condition.ts";
import { RULE_FIELDS } from "./fields.ts";
import { parseCondition } from "./parseCondition.ts";

const page = readFileSync(new URL("README.md", import.meta.url), "utf8");

test("the page has every field with its other names, and every operator", () => {
  const rows = [...page.matchAll(/^\| `([\w.]+)` \| ([^|]*)\|[^|]*\| ([^|]*) \|$/gm)];
  expect(rows.map(([, name, aliases, doc]) => [name, aliases!.match(/[\w.]+/g) ?? [], doc])).toEqual(
    RULE_FIELDS.map(({ name, aliases, doc }) => [name, aliases.filter((alias) => alias !== name), doc]),
  );
  for (const operator of OPERATORS) expect(page).toContain(`\`${operator}\``);
});

test("its examples are conditions, or rules", () => {
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text!));
  expect(examples.length).toBe(5);
  for (const example of examples)
    expect("conditions" in example ? parseJsonRule(example) : parseCondition(example)).toMatchObject({ ok: true });
});
