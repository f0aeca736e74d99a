/** The end of a page, as a client carries it: opaque, base64url of a JSON array of texts (time in µs, then the list's ties). */
import { z } from "@hono/zod-openapi";
import type { ListSpec } from "../clickhouse/queries/types.ts";

/** Largest value of each type a list may be ordered by; the time is an Int64 within what DateTime64(6) can hold. */
const LARGEST: Record<string, bigint> = {
  UInt16: 2n ** 16n - 1n,
  UInt32: 2n ** 32n - 1n,
  UInt64: 2n ** 64n - 1n,
  time: 10n ** 16n,
};

export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** @returns undefined when it is not a cursor of that list */
export function decodeCursor(text: string, { ties }: ListSpec["order"]): string[] | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined; // not JSON
  }
  const types = ["time", ...Object.values(ties)];
  if (!Array.isArray(parts) || parts.length !== types.length) return undefined;
  return parts.every((part, i) => fits(part, types[i]!)) ? parts : undefined;
}

function fits(part: unknown, type: string): boolean {
  if (typeof part !== "string") return false;
  const largest = LARGEST[type];
  return largest === undefined ? part.length <= 512 : /^\d{1,20}$/.test(part) && BigInt(part) <= largest;
}

/** The query parameter `cursor` of a list. */
export function cursorParameter({ order }: ListSpec) {
  return z
    .string()
    .max(4096)
    .transform((text, ctx) => {
      const parts = decodeCursor(text, order);
      if (parts) return parts;
      ctx.addIssue({ code: "custom", message: 'Expected the cursor of a rel="next" link of this list' });
      return z.NEVER;
    })
    .optional()
    .openapi({ param: { description: 'where the page before ended: from rel="next" in the header Link' } });
}
