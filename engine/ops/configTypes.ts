/**
 * The types a configuration value can have. Each is a zod schema from text; its description completes the sentence
 * "expected …" in an error message, and is the type shown in the docs.
 */
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { parseRange } from "../access/ranges.ts";

/** What the sample files of earlier systems contained: published, so not secret. */
const SAMPLE_SECRETS = new Set(
  `admin admin123 admin123456 changeme password secret secure-password secure_password your-secret-key your-super-secret-jwt-key
   jwt_signing_key jwt_token_here your-key test-key your-api-key your-secret-key-1 your-secret-key-2 your-token app-password`.split(
    /\s+/,
  ),
);

export const isSampleSecret = (text: string): boolean => SAMPLE_SECRETS.has(text.toLowerCase());

export const text = (max = 1024) => z.string().max(max).describe(`text of at most ${max} characters`);

export const integer = (min: number, max: number, unit = "") =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .describe(`an integer from ${min} to ${max}${unit && ` ${unit}`}`);

export const port = () => integer(0, 65_535).describe("a port from 0 (any free one) to 65535");

const UNITS = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** Bytes: `1048576`, `1024KiB`, `1MiB`. */
export const bytes = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,13}(KiB|MiB|GiB)?$/)
    .transform((value) => {
      const [, digits, unit] = /^(\d+)(.*)$/.exec(value)!;
      return Number(digits) * UNITS[unit as keyof typeof UNITS];
    })
    .pipe(z.int().min(min).max(max))
    .describe(`bytes from ${showBytes(min)} to ${showBytes(max)}, such as 65536, 64KiB, 16MiB or 1GiB`);

function showBytes(value: number): string {
  const unit = (["GiB", "MiB", "KiB"] as const).find((name) => value >= UNITS[name] && value % UNITS[name] === 0);
  return unit ? `${value / UNITS[unit]}${unit}` : String(value);
}

/** A number of threads; `cores` is what this process may use. */
export const threads = () =>
  z
    .string()
    .regex(/^(cores|\d{1,3})$/)
    .transform((value) => (value === "cores" ? availableParallelism() : Number(value)))
    .pipe(z.int().min(1).max(256))
    .describe('an integer from 1 to 256, or "cores"');

export const choice = <const T extends string>(...values: readonly [T, ...T[]]) =>
  z
    .string()
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(values))
    .describe(`one of ${values.join(", ")}`);

export const url = (...protocols: readonly string[]) =>
  z
    .string()
    .max(2048)
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)))
    .describe(`a URL that begins with ${protocols.map((name) => `${name}://`).join(" or ")}`);

/** Comma-separated; spaces around an item and empty items do not count. */
export const list = <T extends z.ZodType<unknown, string>>(item: T, what: string, max = 64) =>
  z
    .string()
    .transform((value) =>
      value
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item).min(1).max(max))
    .describe(`${what}, separated by commas, at most ${max}`);

export const hostPorts = () =>
  list(
    z.string().refine((value) => {
      const [, digits] = /^(?:\[[0-9a-fA-F:]{2,39}\]|[A-Za-z0-9._-]{1,253}):([1-9]\d{0,4})$/.exec(value) ?? [];
      return digits !== undefined && Number(digits) <= 65_535;
    }),
    "host:port",
  );

export const chainIds = () =>
  list(
    z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number)
      .pipe(z.int().min(1)),
    "chain ids",
    1024,
  );

/** `100=https://a.example,100=wss://b.example`: the URLs of each chain, in the order given. */
export const chainUrls = () =>
  list(
    z
      .string()
      .regex(/^\d{1,16}=/)
      .transform((value) => [Number(value.split("=", 1)), value.slice(value.indexOf("=") + 1)] as const)
      .pipe(z.tuple([z.int().min(1), url("http", "https", "ws", "wss")])),
    "chain id=node URL",
    256,
  )
    .transform((pairs) => {
      const urls: Record<number, string[]> = {};
      for (const [chain, each] of pairs) (urls[chain] ??= []).push(each);
      return urls;
    })
    .describe("chain id=node URL, separated by commas, at most 256");

/** `authorization=Basic%20abc,x-tenant=weir`: headers as OpenTelemetry writes them, values percent-encoded. */
export const headers = () =>
  list(
    z
      .string()
      .regex(/^[\w!#$&'*+.^`|~-]{1,100}\s*=(?:[^%]|%[0-9a-fA-F]{2}){0,4096}$/)
      .refine((value) => {
        try {
          return Boolean(decodeURIComponent(value));
        } catch {
          return false; // no UTF-8
        }
      })
      .transform((value) => {
        const [name, rest] = [value.split("=", 1)[0]!, value.slice(value.indexOf("=") + 1)];
        return [name.trim().toLowerCase(), decodeURIComponent(rest.trim())] as const;
      }),
    "name=value",
  )
    .transform((pairs) => Object.fromEntries(pairs) as Record<string, string>)
    .describe("name=value with values percent-encoded, separated by commas, at most 64");

/** `300,1=60,137=30`: seconds for all chains, and for some; at most a week. */
export const secondsByChain = () =>
  list(
    z
      .string()
      .regex(/^(\d{1,16}=)?\d{1,6}$/)
      .transform((value) => value.split("=").map(Number))
      .refine((parts) => parts.at(-1)! <= 604_800),
    "seconds, or chain id=seconds",
    1024,
  )
    .refine((items) => items.filter((parts) => parts.length === 1).length === 1)
    .transform((items) => ({
      seconds: items.find((parts) => parts.length === 1)![0]!,
      byChain: Object.fromEntries(items.filter((parts) => parts.length === 2)) as Record<number, number>,
    }))
    .describe(
      "seconds for all chains, then chain id=seconds for some, as in 300,1=60,137=30; at most 604800 each, 0: never",
    );

/** Kafka's own rule for a topic's name. */
export const topic = () =>
  z
    .string()
    .regex(/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/)
    .describe("a topic: 1 to 249 of a-z A-Z 0-9 . _ -");

export const identifier = () =>
  z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/)
    .describe("1 to 63 of a-z A-Z 0-9 _, not beginning with a digit");

export const folder = () =>
  z
    .string()
    .min(1)
    .max(4096)
    .refine((value) => !value.includes("\0"))
    .describe("the path of a folder");

export const file = () => folder().describe("the path of a file");

export const listenAddress = () =>
  z
    .string()
    .refine((value) => value === "localhost" || isIP(value) !== 0)
    .describe("localhost or an IP address; 0.0.0.0 and :: are all of this machine's");

/** `10.0.0.0/8,2001:db8::1`: addresses and blocks of them. */
export const ranges = () =>
  list(
    z
      .string()
      .transform(parseRange)
      .refine((range) => range !== undefined)
      .transform((range) => range!),
    "addresses and CIDR blocks",
  );

/** Names of hosts as they stand in a Host header, in lower case and without a port. */
export const hostNames = () =>
  list(
    z
      .string()
      .toLowerCase()
      .regex(/^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/),
    "names of hosts without ports",
  );

/** `https://app.example,http://localhost:3000`: as browsers write an Origin header. */
export const origins = () =>
  list(
    z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value)),
    "origins such as https://app.example",
  );

export const secret = (min = 1) =>
  z
    .string()
    .min(min)
    .max(4096)
    .refine((value) => !isSampleSecret(value))
    .describe(`${min > 1 ? `at least ${min} characters` : "a text"} that no sample file contains`);

/** Several of them. */
export const secrets = (min: number) => list(secret(min).regex(/^[!-~]+$/), `keys of at least ${min} characters`, 16);

/** A bearer token: what may stand in an Authorization header. */
export const bearer = () =>
  secret(16)
    .regex(/^[!-~]+$/)
    .describe("at least 16 visible ASCII characters without spaces, in no sample file");

/** ClickHouse would take some characters of a path for a pattern. */
export const archivePlace = () =>
  folder()
    .refine((value) => !/[*?{}]|\.\./.test(value) && (isBucket(value) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(value)))
    .describe("the path of a folder, s3://bucket/prefix or gs://bucket/prefix, without * ? { } and ..");

/** Whether a place is the URL of a bucket and not a path. */
export const isBucket = (place: string): boolean => /^(s3|gs):\/\//.test(place);

export const archiveFormat = () =>
  choice("parquet", "json").describe(
    "parquet or json; a pickle runs code when somebody reads it, so there is no such archive",
  );

/** `transactions=30,*=90`: days by table; `*` stands for all that are not named. */
export const daysByTable = () =>
  list(
    z
      .string()
      .regex(/^([a-z][a-z_]{0,62}|\*)=\d{1,6}$/)
      .transform((value) => {
        const [table, days] = value.split("=") as [string, string];
        return [table, Number(days)] as const;
      })
      .pipe(z.tuple([z.string(), z.int().min(1).max(36_500)])),
    "table=days",
    64,
  )
    .transform((pairs) => Object.fromEntries(pairs) as Readonly<Record<string, number>>)
    .describe("table=days, separated by commas, 1 to 36500 days, * for all other tables");
