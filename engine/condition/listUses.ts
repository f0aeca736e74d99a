import { type Condition, predicatesOf } from "./condition.ts";
import { ruleField } from "./fields.ts";
import type { ListUse } from "./listKinds.ts";

/** The lists that a condition names, each once for each width of what is looked for in it. */
export function listUses(condition: Condition | undefined): ListUse[] {
  const uses = new Map<string, ListUse>();
  for (const { field: name, argument, operator, value } of condition ? predicatesOf(condition) : []) {
    if (operator !== "in_list" && operator !== "not_in_list") continue;
    const field = argument ? argument.type : ruleField(name);
    if (field && "bytes" in field) uses.set(`${value} ${field.bytes}`, { name: String(value), bytes: field.bytes });
  }
  return [...uses.values()];
}
