/** JSON of strangers: what parses and can still not be kept, or not be written again. */

/** Deeper than anything of ours; JSON.stringify() ends with the stack some thousand levels down. */
const MAX_DEPTH = 64;

/** No text of PostgreSQL's: U+0000, half a surrogate pair. */
export const isUnkeepable = (text: string): boolean => /\0|\p{Surrogate}/u.test(text);

/**
 * @param value as JSON.parse() gave it
 * @returns what is wrong with it and how it must be, to be put behind "Cannot read …: "; undefined: nothing
 */
export function jsonProblem(value: unknown, depth = 0): string | undefined {
  if (typeof value === "string")
    return isUnkeepable(value)
      ? "a text in it has U+0000 or half a surrogate pair, expected Unicode without"
      : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels, expected at most that`;
  for (const [name, inner] of Object.entries(value)) {
    const problem = jsonProblem(name) ?? jsonProblem(inner, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
