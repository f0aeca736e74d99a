import type { JsonCondition, JsonRule } from "../load/ruleMix.ts";

/**
 * A rule as the hand-made indexes take it, a line of java/HashIndex.java.
 * @throws RangeError for a rule of another shape than the dense mix's three
 */
export function indexLine({ id, conditions }: JsonRule): string {
  const asked: Record<string, string | number> = {};
  const parts: readonly JsonCondition[] = "and" in conditions ? conditions.and : [conditions];
  for (const part of parts) if ("field" in part) asked[`${part.field} ${part.operator}`] = part.value;
  const { "chainId eq": chain, "to eq": to, "from eq": from, "input starts_with": selector } = asked;
  const { "value gt": value, "gasPrice gt": gasPrice } = asked;
  const known = parts.length === Object.keys(asked).length;
  if (known && parts.length === 3 && chain !== undefined && to !== undefined && value !== undefined)
    return `to\t${chain}\t${to}\t${value}`;
  if (known && parts.length === 2 && selector !== undefined && gasPrice !== undefined)
    return `selector\t${selector}\t${gasPrice}`;
  if (known && parts.length === 2 && from !== undefined && value !== undefined) return `from\t${from}\t${value}`;
  throw new RangeError(
    `Cannot index the rule "${id}" by hand: expected one of the dense mix's shapes, see load/ruleMix.ts`,
  );
}
