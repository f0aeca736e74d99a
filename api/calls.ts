/** The calls of a transaction as the API shows them: asked for by its input, and made, where its record has a trace. */
import { z } from "@hono/zod-openapi";
import { CALL_LIMITS, type Call, type Calls, nameOf } from "../engine/chain/calls/calls.ts";
import { INTERNAL_CALL_LIMITS, type InternalCall, type InternalCalls } from "../engine/chain/calls/internalCalls.ts";

const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });

const place = {
  parent: describe(z.int(), "number of the call around it; -1: the transaction itself"),
  depth: z.int(),
};

export const callsSchema = z
  .object({
    calls: z.array(
      z.object({
        ...place,
        kind: describe(z.enum(["call", "delegatecall", "command"]), "command: of Uniswap's Universal Router"),
        to: describe(z.string().nullable(), "null: unknown, or the creation of a contract"),
        method: describe(z.string().nullable(), "first 4 bytes of its data"),
        name: describe(z.string().nullable(), "signature of the function, or the command; null: not known here"),
        value_raw: describe(z.string().nullable(), "wei; null where the call around it does not say"),
        offset: describe(z.int(), "where its data begin in the transaction's input, bytes"),
        length: z.int(),
        provenance: describe(
          z.enum(["abi", "guessed"]),
          "abi: where the signature of the call around it says; guessed: it looks like a call, among the data of an unknown one",
        ),
      }),
    ),
    truncated: describe(
      z.boolean(),
      `there are more than ${CALL_LIMITS.calls}, or deeper ones than ${CALL_LIMITS.depth}`,
    ),
  })
  .openapi("Calls");

export const internalCallsSchema = z
  .object({
    calls: z.array(
      z.object({
        ...place,
        type: describe(z.string(), "CALL, DELEGATECALL, STATICCALL, CREATE …"),
        from: z.string().nullable(),
        to: z.string().nullable(),
        method: z.string().nullable(),
        name: z.string().nullable(),
        value_raw: z.string(),
        gas_used_raw: z.string().nullable(),
        error: describe(z.string().nullable(), "why it failed"),
      }),
    ),
    truncated: describe(z.boolean(), `there are more than ${INTERNAL_CALL_LIMITS.calls}`),
  })
  .openapi("InternalCalls");

export const toCalls = ({ calls, truncated }: Calls): z.infer<typeof callsSchema> => ({
  calls: calls.map(({ selector, value, ...call }: Call) => ({ ...call, method: selector, value_raw: text(value) })),
  truncated,
});

export const toInternalCalls = ({ calls, truncated }: InternalCalls): z.infer<typeof internalCallsSchema> => ({
  calls: calls.map(({ selector, value, gasUsed, ...call }: InternalCall) => ({
    ...call,
    method: selector,
    name: selector === null ? null : (nameOf(selector) ?? null),
    value_raw: value.toString(),
    gas_used_raw: text(gasUsed),
  })),
  truncated,
});

const text = (amount: bigint | null): string | null => amount?.toString() ?? null;
