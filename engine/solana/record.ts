/**
 * Records of arbitrages on Solana, as a collector there puts them on `arbitrage-transactions` (seed 003's schema): one JSON object a record.
 *
 *     {"tx_signature":"5VERv8NMvz…","block_time":"2024-01-15 10:30:00.123","slot":241893457,"revenue_sol":0.0325, …}
 */
import { z } from "zod";

/** What we read of a record; what else it says stays in its JSON. */
export interface SolanaTransaction {
  /** Base58 of 64 bytes. */
  readonly signature: string;
  /** ms since 1970 */
  readonly blockTime: number;
  readonly slot: number;
  /** In lamports, 10⁻⁹ SOL. */
  readonly revenue: bigint;
  /** In lamports; null: the record does not say. */
  readonly netProfit: bigint | null;
}

export interface Refusal {
  /** Short name, of a dead letter. */
  readonly reason: "solana_not_json" | "solana_too_large" | "solana_invalid";
  /** What is there, and what was expected. */
  readonly detail: string;
}

/** Some 70 members are 2 KB; what is larger is something else. */
export const MAX_SOLANA_BYTES = 65_536;

/** @returns undefined for a record of ours, which are on the topic, too: what was found on EVM chains, and blocks whose word was taken back */
export function readSolanaRecord(value: Uint8Array | null): SolanaTransaction | Refusal | undefined {
  if (value === null || value.length === 0)
    return { reason: "solana_not_json", detail: "the record is empty, expected a JSON object" };
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
  } catch (error) {
    return { reason: "solana_not_json", detail: `${(error as Error).message}, expected a JSON object` };
  }
  if (isOurs(json)) return undefined;
  if (value.length > MAX_SOLANA_BYTES)
    return {
      reason: "solana_too_large",
      detail: `the record has ${value.length} bytes, expected at most ${MAX_SOLANA_BYTES}`,
    };
  const read = schema.safeParse(json);
  if (!read.success) return { reason: "solana_invalid", detail: describeIssues(read.error) };
  const { tx_signature: signature, block_time: blockTime, slot, revenue_sol: revenue } = read.data;
  return { signature, blockTime, slot, revenue, netProfit: read.data.net_profit_sol ?? null };
}

export const isRefusal = (read: SolanaTransaction | Refusal): read is Refusal => "reason" in read;

function isOurs(json: unknown): boolean {
  const { kind, chain_id } = (json ?? {}) as Readonly<Record<string, unknown>>;
  return (kind === "arbitrage" || kind === "block") && chain_id !== undefined;
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const SIGNATURE_BYTES = 64;

/** Of how many bytes the text is the base58; NaN where it is none. Each leading 1 is a zero byte. */
function base58Bytes(text: string): number {
  let value = 0n;
  for (const letter of text) {
    const digit = BASE58.indexOf(letter);
    if (digit < 0) return Number.NaN;
    value = value * 58n + BigInt(digit);
  }
  const zeros = /^1*/.exec(text)![0].length;
  return zeros + (value === 0n ? 0 : Math.ceil(value.toString(16).length / 2));
}

/** 64 bytes have 64 to 88 letters. */
export const signatureText = z
  .string("Expected text")
  .refine((text) => text.length <= 88 && base58Bytes(text) === SIGNATURE_BYTES, "Expected base58 of 64 bytes");

/** The first slot of Solana's mainnet was on 16 March 2020. Milliseconds taken for seconds lie far beyond 2100. */
const [FIRST_TIME, LAST_TIME] = [Date.UTC(2020, 2, 16), Date.UTC(2100, 0, 1)];
const EXPECTED_TIME =
  "Expected a time from 2020-03-16 to 2100, as RFC 3339, as ClickHouse writes it in UTC, or in seconds since 1970";
const time = z
  .union(
    [
      z.number().transform((seconds) => Math.round(seconds * 1_000)),
      z
        .string()
        .regex(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/, EXPECTED_TIME)
        .transform((text) => Date.parse(`${text.replace(" ", "T")}${/(Z|[+-]\d\d:\d\d)$/.test(text) ? "" : "Z"}`)),
    ],
    EXPECTED_TIME,
  )
  .refine((ms) => ms >= FIRST_TIME && ms < LAST_TIME, EXPECTED_TIME);

const EXPECTED_SLOT = `Expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;
const slot = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d{1,16}$/, EXPECTED_SLOT)
        .transform(Number),
    ],
    EXPECTED_SLOT,
  )
  .pipe(z.int(EXPECTED_SLOT).min(0, EXPECTED_SLOT));

/** Decimal64(9) holds less than 10⁹. A number, which had been a float before, is rounded to the lamport; text is exact. */
const EXPECTED_SOL = "Expected SOL between -1000000000 and 1000000000: a number, or decimal text of at most 9 places";
const lamports = z
  .union(
    [
      z.number().transform((sol) => (Math.abs(sol) < 1e9 ? sol.toFixed(9) : "")),
      z.string().regex(/^-?\d{1,9}(\.\d{1,9})?$/, EXPECTED_SOL),
    ],
    EXPECTED_SOL,
  )
  .refine((text) => text !== "", EXPECTED_SOL)
  .transform((text) => {
    const [whole = "", places = ""] = text.split(".");
    return BigInt(`${whole}${places.padEnd(9, "0")}`);
  });

const schema = z.looseObject(
  {
    tx_signature: signatureText,
    block_time: time,
    slot,
    revenue_sol: lamports,
    net_profit_sol: lamports.nullish(),
  },
  "Expected a JSON object",
);

/** `tx_signature: Expected text; slot: …` */
const describeIssues = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
