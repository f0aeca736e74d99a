/** What the SDK offers, read from its own sources: for "Did you mean". */

export interface SdkNames {
  /** what `@weir/rules` exports */
  readonly exports: readonly string[];
  /** public members by class or enum */
  readonly members: ReadonlyMap<string, readonly string[]>;
}

const CLASS = /^(?:export )?(?:class|enum|namespace) (\w+)(?:<[\w, ]+>)? \{\n([\s\S]*?)^\}/gm;
/** A member stands two spaces in; what is private is not for authors. */
const MEMBER =
  /^ {2}(?!private|constructor)(?:@operator\("[^"]+"\) )?(?:export function |static |get )?(\w+)(?:\(|:| =)/gm;
const FIELD = /^ {4}readonly (\w+):/gm;

export function sdkNames(library: Readonly<Record<string, string>>): SdkNames {
  const members = new Map<string, string[]>();
  const exports: string[] = [];
  for (const [path, text] of Object.entries(library)) {
    if (!path.startsWith("@weir/rules/")) continue;
    for (const [, name, body] of text.matchAll(CLASS)) {
      members.set(
        name!,
        [...body!.matchAll(MEMBER), ...body!.matchAll(FIELD)].map(([, member]) => member!),
      );
    }
  }
  for (const [, list] of library["@weir/rules/index"]!.matchAll(/^export \{ (.*) \}/gm))
    exports.push(...list!.split(", "));
  return { exports, members };
}

/** The candidate that is at most two edits away, one for short names; null if there is none. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = name.length <= 4 ? 2 : 3;
  for (const candidate of candidates) {
    const far = distance(name.toLowerCase(), candidate.toLowerCase());
    if (far < least) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance, where two neighbours that changed places are one edit. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, change, swap));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
