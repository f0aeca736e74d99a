/** Requests of an operation of the API's document, from what fits to what nobody should send. */
import fc from "fast-check";

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; example?: unknown; schema: Record<string, unknown> }[]; // biome-ignore format: one shape
  readonly requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>;
}

/** What no parameter should be, and what some only look like. */
const HOSTILE = [
  ...["", " ", "0", "-1", "1e9", "NaN", "null", "undefined", "true", "[]", "{}", "9007199254740993", "9".repeat(40), "0x", "0xzz"],
  ...["' OR 1=1 --", '"; DROP TABLE transactions; --', "{x:String}", "%00", "\u0000", "../../etc/passwd", "$" + "{7*7}", "{{7*7}}"],
  ...["<script>alert(1)</script>", "\r\nx-injected: 1", "\u202e\u0301💥", "a".repeat(300), "1970-01-01", "9999-12-31T23:59:59Z"],
  ...["-0", "0.1", ".5", "1,2", "constructor", "__proto__", "http://169.254.169.254/", `0x${"f".repeat(40)}`, `0x${"f".repeat(64)}`],
]; // biome-ignore format: a list

const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  // A request is UTF-8: half a surrogate pair cannot be sent.
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text).toString()) },
);

/** What a schema allows, and what is one beyond. */
function fitting({ enum: members, type, minimum, maximum, example }: Record<string, unknown>): fc.Arbitrary<string> {
  const near = (bound: unknown): string[] =>
    typeof bound === "number" ? [bound - 1, bound, bound + 1].map(String) : [];
  const known = [
    ...(Array.isArray(members) ? members.map(String) : []),
    ...(type === "integer" || type === "number" ? ["1", ...near(minimum), ...near(maximum)] : []),
    ...(type === "boolean" ? ["true", "false"] : []),
    ...(example === undefined ? [] : [String(example)]),
  ];
  return known.length === 0 ? hostile : fc.constantFrom(...known);
}

export interface HostileRequest {
  /** With its query. */
  readonly path: string;
  readonly role: "viewer" | "user" | "admin" | undefined;
  readonly contentType: string;
  readonly body: string;
}

/** One place of a request holds anything, the others what fits or nothing: a request that is wrong in two is refused for the first. */
export function requestsOf({ path, parameters = [], requestBody }: Operation): fc.Arbitrary<HostileRequest> {
  const places = parameters.filter(({ in: where }) => where === "path" || where === "query");
  const members = Object.entries(requestBody?.content["application/json"]?.schema.properties ?? { name: {} });
  const fits = (schema: Record<string, unknown>) => fc.option(fitting(schema), { freq: 2 });
  return fc
    .record({
      wrong: fc.record({ place: fc.nat(Math.max(0, places.length - 1)), text: hostile, twice: fc.boolean(), fits: fc.boolean() }),
      values: fc.tuple(...places.map(({ schema }) => fits(schema))),
      body: fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.record(Object.fromEntries(members.map(([name, schema]) => [name, fc.oneof(fitting(schema as Record<string, unknown>), hostile)]))),
      ),
      role: fc.constantFrom(undefined, "viewer", "user", "admin", "admin", "admin"),
      contentType: fc.constantFrom("application/json", "application/json", "text/plain", "application/wasm"),
    })
    .map(({ wrong, values, body, role, contentType }) => {
      const text = (i: number): string | null => (i === wrong.place && !wrong.fits ? wrong.text : values[i]!);
      const query = new URLSearchParams();
      let at = path;
      for (const [i, { name, in: where }] of places.entries()) {
        const value = text(i);
        if (where === "path") at = at.replace(`{${name}}`, encodeURIComponent((value ?? "1").replace(/^\.*$/, "x")));
        else if (value !== null) for (let n = 0; n <= Number(wrong.twice && i === wrong.place); n++) query.append(name, value);
      }
      return { path: `${at}?${query}`, role, contentType, body: JSON.stringify(body) } as HostileRequest;
    });
} // biome-ignore format: one chain
