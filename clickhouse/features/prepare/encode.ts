export const ENCODINGS = ["ordinal", "onehot"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Which texts a column of categories knows: the most frequent ones of what it was fitted on, by frequency, then by text. */
export interface Categories {
  readonly values: readonly string[];
  /** Rows with another text, or none. */
  readonly others: number;
}

/** Texts that are counted at most: what is seen for the first time after that is another. */
const COUNTED = 100_000;

export interface Encoder {
  add(texts: Iterable<string | null>): void;
  fit(): Categories;
}

/** @param most texts that get a number of their own */
export function createEncoder(most: number): Encoder {
  const counts = new Map<string, number>();
  let rows = 0;
  return {
    add(texts) {
      for (const text of texts) {
        rows++;
        const count = text === null ? undefined : counts.get(text);
        if (text !== null && (count !== undefined || counts.size < COUNTED)) counts.set(text, (count ?? 0) + 1);
      }
    },
    fit() {
      const frequent = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, most);
      return {
        values: frequent.map(([text]) => text),
        others: rows - frequent.reduce((sum, [, count]) => sum + count, 0),
      };
    },
  };
}

/**
 * `ordinal`: one column, 1 for the most frequent text, 2 for the next …, 0 for all others and for none. `onehot`: a column each, `name=text`, 1 or 0.
 */
export function encoded(
  name: string,
  texts: readonly (string | null)[],
  { values }: Categories,
  encoding: Encoding,
): { name: string; numbers: Float64Array }[] {
  if (encoding === "onehot")
    return values.map((value) => ({
      name: `${name}=${value}`,
      numbers: Float64Array.from(texts, (text) => Number(text === value)),
    }));
  const places = new Map(values.map((value, i) => [value, i + 1]));
  return [{ name, numbers: Float64Array.from(texts, (text) => (text === null ? 0 : (places.get(text) ?? 0))) }];
}
