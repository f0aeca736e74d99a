/** The known name nearest to a wrong one, as ` Did you mean "…"?`; "" where none is near. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  if (wrong.length > 64) return "";
  const plain = (name: string): string => name.toLowerCase().replaceAll("_", "");
  let best = "";
  let least = Math.min(3, Math.ceil(wrong.length / 3)) + 1;
  for (const name of known) {
    const away = distance(plain(wrong), plain(name), least);
    if (away < least) [best, least] = [name, away];
  }
  return best && ` Did you mean "${best}"?`;
}

/** Edits between two texts (Levenshtein 1966), a swap of neighbours counting as one; `most` or more once it cannot be less. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
