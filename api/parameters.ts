/** Query parameters that several routes share. From text; every one has a limit and says what it expects. */
import { z } from "@hono/zod-openapi";
import type { ListSpec } from "../clickhouse/queries/types.ts";
import { isUnkeepable } from "../engine/ops/plainJson.ts";
import { SEVERITIES } from "../engine/sandbox/manifest.ts";
import { cursorParameter } from "./cursor.ts";

export const MAX_LIMIT = 1000;
export const MAX_OFFSET = 100_000;

export const wholeNumber = (min: number, max: number) => {
  const expected = `Expected an integer from ${min} to ${max}`;
  return z.string().regex(/^\d{1,16}$/, expected).transform(Number).pipe(z.int().min(min, expected).max(max, expected)); // biome-ignore format: one chain
};

/** A decimal number such as 0.5, with at most 18 digits before and behind the point. */
export const decimalText = z.string().regex(/^-?\d{1,18}(\.\d{1,18})?$/, "Expected a decimal number such as 0.5");
export const decimalNumber = decimalText.transform(Number);

export const shareText = z
  .string()
  .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, "Expected a number from 0 to 1")
  .transform(Number);

const hexText = (digits: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${digits}}$`), `Expected ${what}: 0x and ${digits} hexadecimal digits`)
    .transform((text) => text.toLowerCase());

export const hashText = hexText(64, "a transaction hash");
export const addressText = hexText(40, "an address");
/** A pool's contract, or its id where one vault has all: 20 or 32 bytes. */
export const poolText = z
  .string()
  .regex(/^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/, "Expected a pool: 0x and 40 or 64 hexadecimal digits")
  .transform((text) => text.toLowerCase());
export const safeInteger = wholeNumber(0, Number.MAX_SAFE_INTEGER);
export const flagText = z.enum(["true", "false"], "Expected true or false").transform((text) => text === "true");
export const severityText = z.enum(SEVERITIES, `Expected one of ${SEVERITIES.join(", ")}`);
export const wordText = (max = 256) =>
  z
    .string()
    .min(1, "Expected some text")
    .max(max, `Expected at most ${max} characters`)
    .refine((text) => !isUnkeepable(text), "Expected text without NUL");

/** RFC 3339 with any offset, or a date, which is its first moment in UTC. To 2261: there a DateTime64(9), into which ClickHouse may cast, ends. */
export const timeText = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], "Expected a time such as 2024-01-15T10:30:00Z or 2024-01-15")
  .transform((text) => new Date(text))
  .refine((date) => date.getTime() >= 0 && date.getUTCFullYear() <= 2261, "Expected a time from 1970 to 2261");

/** An optional parameter with its sentence in the docs. */
export const optional = <T extends z.ZodType>(schema: T, description: string, example?: string) =>
  schema.optional().openapi({ param: { description }, ...(example === undefined ? {} : { example }) });

export const chain = {
  chain_id: optional(safeInteger, "EIP-155 chain id", "1"),
  chainId: optional(safeInteger, "the same as chain_id"),
};

export const times = {
  since: optional(timeText, "from this time on", "2024-01-15T10:30:00Z"),
  until: optional(timeText, "before this time", "2024-01-16"),
};

export const paging = (defaultLimit = 100) => ({
  limit: optional(
    wholeNumber(1, MAX_LIMIT),
    `rows in the answer, 1 to ${MAX_LIMIT}, ${defaultLimit} by default`,
    String(defaultLimit),
  ),
  offset: optional(
    wholeNumber(0, MAX_OFFSET),
    `rows to skip, at most ${MAX_OFFSET}; to go further, follow rel="next" in the header Link`,
  ),
});

/** What every list takes. */
export const listParameters = (list: ListSpec) => ({ ...times, ...paging(), cursor: cursorParameter(list) });

/** The parameters of a route: unknown ones are refused, and so are combinations that contradict each other. */
export function query<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).superRefine((values, ctx) => {
    const { chain_id, chainId, since, until, offset, cursor, period, days } = values as Record<string, unknown>;
    const fail = (name: string, message: string) => ctx.addIssue({ code: "custom", path: [name], message });
    if (chain_id !== undefined && chainId !== undefined && chain_id !== chainId)
      fail("chainId", "Expected the same value as chain_id");
    if (since instanceof Date && until instanceof Date && since >= until) fail("until", "Expected a time after since");
    if (offset !== undefined && cursor !== undefined) fail("offset", "Expected offset or cursor, not both");
    if (period !== undefined && (since ?? until) !== undefined)
      fail("period", "Expected period, or since and until, not both");
    if (days !== undefined && (since ?? until) !== undefined)
      fail("days", "Expected days, or since and until, not both");
  });
}
