/**
 * What a rule declares of its state, and what that makes of an entry: a key with a value that the host keeps for it.
 *
 *     {"name": "seen", "kind": "counter", "key": "address", "value": "u64"}
 *     {"name": "volume", "kind": "window", "key": "address", "value": "u256", "seconds": 3600, "buckets": 60, "mined": true}
 */
export const STATE_KEYS = ["address", "bytes32"] as const;
export const STATE_VALUES = ["u64", "i64", "f64", "u256"] as const;
export type StateValue = (typeof STATE_VALUES)[number];

interface Declared {
  readonly name: string;
  readonly key: (typeof STATE_KEYS)[number];
  readonly value: StateValue;
  /** Only mined transactions write to it; to pending ones it answers, and stays as it is. */
  readonly mined?: boolean | undefined;
}

export type StateDeclaration =
  | (Declared & { readonly kind: "counter" })
  /** Of the last `seconds` of event time, in so many steps. */
  | (Declared & { readonly kind: "window"; readonly seconds: number; readonly buckets: number });

export const STATE_LIMITS = {
  /** declarations of a rule */
  declarations: 8,
  /** 30 days */
  seconds: 2_592_000,
  buckets: 64,
  /** keys of one declaration and partition */
  keys: 65_536,
  /** of their entries: what has large entries keeps fewer keys */
  bytes: 8 << 20,
} as const;

const WORDS = { address: 5, bytes32: 8, u64: 2, i64: 2, f64: 2, u256: 8 } as const;

/** Of an entry, in u32 words: generation │ key │ value. */
export interface EntryLayout {
  readonly keyWords: number;
  /** Words of one amount. */
  readonly amountWords: number;
  /** A counter's is its amount; a window's the number of its newest bucket, then a ring of amounts. */
  readonly valueWords: number;
  readonly entryWords: number;
  /** So many of the keys written last are never forgotten, and never more than twice as many are kept. */
  readonly half: number;
}

export function entryLayout(declaration: StateDeclaration): EntryLayout {
  const keyWords = WORDS[declaration.key];
  const amountWords = WORDS[declaration.value];
  const valueWords = declaration.kind === "counter" ? amountWords : 1 + declaration.buckets * amountWords;
  const entryWords = 1 + keyWords + valueWords;
  let half = STATE_LIMITS.keys / 2;
  while (half * 2 * entryWords * 4 > STATE_LIMITS.bytes) half /= 2;
  return { keyWords, amountWords, valueWords, entryWords, half };
}

/** Two declarations with the same text mean the same values. */
export const shapeOf = (declaration: StateDeclaration): string =>
  [
    declaration.kind,
    declaration.key,
    declaration.value,
    ...(declaration.kind === "window" ? [`${declaration.seconds}s`, `${declaration.buckets} buckets`] : []),
    ...(declaration.mined ? ["mined"] : []),
  ].join(" ");

/** What becomes of a rule's state with its next version. */
export interface StateFate {
  /** kept: whatever was declared is declared the same way; what is declared more begins empty. */
  readonly state: "kept" | "reset";
  /** What begins empty, or is given up; "" when nothing. */
  readonly why: string;
}

/** undefined: the version before declared none. */
export function stateFate(
  before: readonly StateDeclaration[],
  after: readonly StateDeclaration[],
): StateFate | undefined {
  if (before.length === 0) return undefined;
  const now = new Map(after.map((declaration) => [declaration.name, shapeOf(declaration)]));
  const lost = before.flatMap((declaration) => {
    const [was, is] = [shapeOf(declaration), now.get(declaration.name)];
    if (is === was) return [];
    return is === undefined
      ? [`"${declaration.name}" is declared no more`]
      : [`"${declaration.name}" was a ${was} and is a ${is}: it begins empty`];
  });
  if (lost.length === 0) return { state: "kept", why: "" };
  const kept = before.length - lost.length;
  const others = kept === 0 ? "" : `; the other ${kept === 1 ? "one goes" : `${kept} go`} on`;
  return { state: "reset", why: `${lost.join("; ")}${others}` };
}
