import { ALWAYS, type Condition } from "../condition/condition.ts";
import type { Filter } from "../sandbox/parseManifest.ts";

/** A module's filter as the condition that it is. */
export function filterCondition(filter: Filter): Condition {
  const { chains, to, from, selectors, topics, minValue, created, status, pending, where } = filter;
  const and: Condition[] = [];
  const oneOf = (field: string, values: readonly (string | number)[] | undefined): void => {
    if (values) and.push({ field, operator: "in", value: values.map(String) });
  };
  oneOf("chainId", chains);
  oneOf("to", to);
  oneOf("from", from);
  oneOf("selector", selectors);
  oneOf("topic0", topics);
  if (minValue !== undefined) and.push({ field: "value", operator: "gte", value: minValue });
  if (created !== undefined) and.push({ field: "created", operator: "eq", value: created });
  if (status !== undefined) and.push({ field: "status", operator: "eq", value: String(status) });
  if (pending !== undefined) and.push({ field: "pending", operator: "eq", value: pending });
  if (where !== undefined) and.push(where);
  if (and.length === 0) return ALWAYS;
  return and.length === 1 ? and[0]! : { and };
}
