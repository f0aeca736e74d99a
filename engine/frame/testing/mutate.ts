import fc from "fast-check";

/** One change to a record's text: which, where (scaled to the text), and with what. */
export type Mutation = readonly [kind: number, at: number, argument: number];

const TOKEN = /"(?:[^"\\]|\\.)*"|[^\s,:[\]{}"]+|[[\]{},:]/gs;
const MEMBER = /"(?:[^"\\]|\\.)*":(?:"(?:[^"\\]|\\.)*"|[^\s,:[\]{}"]+)/gs;

/** What a producer might write where something else belongs. */
const TOKENS = [
  "null", "true", "false", "NaN", "nul", "0", "-0", "-1", "1", "01", "1.5", "1.123", "1.1234", "1.", ".5", "1e3", "1E+2", "9007199254740991",
  "9007199254740993", "4294967296", "99999999999999999999999", '""', '"0x"', '"0x0"', '"0x00"', '"0X1"', '"0xABcd"', '"0xg"', '"0x123"', '"1"',
  '"0x\\u0031"', '"\\u0030x1"', '"0x1\\n"', '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', '"\\u12"', '"\u00c3\u00a9"', '"\u00ff"', '"\u00ed\u00a0\u0080"', '"\t"',
  `"0x${"f".repeat(40)}"`, `"0x${"F".repeat(64)}"`, `"0x${"0".repeat(65)}"`, `"0x${"0".repeat(32)}1"`, "{}", "[]", "[null]", "{,}", "[,]", "[1,]",
  '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":{"b":[{}]}}', "[".repeat(260) + "]".repeat(260), "[".repeat(250) + "]".repeat(250), "[".repeat(255) + "]".repeat(255), '{ "a" : [ 1 , 2 ] }',
]; // biome-ignore format: a table
const KEYS = ["hash", "to", "data", "input", "block", "receipt", "logs", "accessList", "block.x", "receipt.", "v", "h\\u0061sh", "\\u0062lock.y", "é", "", "topics", "number"]; // biome-ignore format: a table

/** Texts are latin1 strings here: a character a byte. */
export function mutate(source: string, other: string, mutations: readonly Mutation[]): string {
  for (const [kind, at, argument] of mutations) source = MUTATORS[kind]!(source, at / 2 ** 31, argument, other);
  return source;
}

type Mutator = (text: string, at: number, argument: number, other: string) => string;

const MUTATORS: Mutator[] = [
  // a byte changed, inserted, or removed with some behind it
  (text, at, argument) => splice(text, Math.floor(at * text.length), 1, String.fromCharCode(argument & 0xff)),
  (text, at, argument) => splice(text, Math.floor(at * text.length), 0, String.fromCharCode(argument & 0xff)),
  (text, at, argument) => splice(text, Math.floor(at * text.length), argument % 9, ""),
  (text, at) => text.slice(0, at * text.length),
  // space somewhere between tokens
  (text, at, argument) => onToken(text, at, (token) => `${" \n\t\r"[argument & 3]}${token} `),
  (text, at, argument) => onToken(text, at, () => TOKENS[argument % TOKENS.length]!),
  // values more often than braces
  (text, at, argument) => onMember(text, at, (key) => `${key}:${TOKENS[argument % TOKENS.length]}`),
  (text, at, argument) => onMember(text, at, (_, value) => `"${KEYS[argument % KEYS.length]}":${value}`),
  (text, at) => onMember(text, at, (key, value) => `${key}:${value},${key}:${value}`),
  (text, at, argument) =>
    onMember(
      text,
      at,
      (key, value) => `"${KEYS[argument % KEYS.length]}":${TOKENS[argument % TOKENS.length]},${key}:${value}`,
    ),
  // tokens swapped with the one behind, a few on
  (text, at, argument) => {
    const tokens = text.match(TOKEN) ?? [];
    const i = Math.floor(at * tokens.length);
    const j = Math.min(tokens.length - 1, i + 1 + (argument % 8));
    if (tokens.length > 0) [tokens[i], tokens[j]] = [tokens[j]!, tokens[i]!];
    return tokens.join("");
  },
  // two records spliced
  (text, at, argument, other) =>
    text.slice(0, at * text.length) + other.slice(((argument >>> 0) / 2 ** 32) * other.length),
  // a character written as an escape
  (text, at) => {
    const p = Math.floor(at * text.length);
    return splice(text, p, 1, `\\u${(text.charCodeAt(p) || 0).toString(16).padStart(4, "0")}`);
  },
  // upper case, a longer hex string, a member removed, trailing bytes
  (text, at) =>
    onMember(
      text,
      at,
      (key, value) => `${key}:${value.replace(/0x[0-9a-f]*/, (hex) => `0x${hex.slice(2).toUpperCase()}`)}`,
    ),
  (text, at, argument) =>
    onMember(text, at, (key, value) => `${key}:${value.replace("0x", `0x${"0".repeat(argument & 15)}`)}`),
  (text, at) => onMember(text, at, () => '"gone":0'),
  (text, _, argument) => text + ["}", " ", "\n", ",", "{}", "\0", "\u00ef\u00bb\u00bf"][(argument >>> 0) % 7],
];

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.tuple(fc.nat(MUTATORS.length - 1), fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1)),
  { minLength: 1, maxLength: 3 },
);

function splice(text: string, at: number, remove: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + remove);
}

function onToken(text: string, at: number, change: (token: string) => string): string {
  return replaceNth(text, TOKEN, at, change);
}

function onMember(text: string, at: number, change: (key: string, value: string) => string): string {
  return replaceNth(text, MEMBER, at, (member) => {
    const colon = /^"(?:[^"\\]|\\.)*"/s.exec(member)![0].length;
    return change(member.slice(0, colon), member.slice(colon + 1));
  });
}

function replaceNth(text: string, pattern: RegExp, at: number, change: (match: string) => string): string {
  const count = text.match(pattern)?.length ?? 0;
  let i = Math.floor(at * count);
  return text.replace(pattern, (match) => (i-- === 0 ? change(match) : match));
}
