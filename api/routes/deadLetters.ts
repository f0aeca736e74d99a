import { createRoute, z } from "@hono/zod-openapi";
import {
  DEAD_LETTERS,
  type DeadLetterRow,
  deadLetterConditions,
  PREVIEW_BYTES,
} from "../../clickhouse/queries/deadLetters.ts";
import type { ApiDeps } from "../deps.ts";
import { answerList } from "../list.ts";
import { listParameters, optional, query, wordText } from "../parameters.ts";
import { createRouter, DATABASE_PROBLEMS, LIST_HEADERS, problemResponse } from "../router.ts";

export const deadLetterSchema = z
  .object({
    source: z.string().openapi({ description: "topic, or recording:<sha256>" }),
    partition: z.int(),
    offset: z.string().openapi({ description: "decimal text" }),
    n: z.int().openapi({ description: "index within the record" }),
    record_time: z
      .string()
      .nullable()
      .openapi({ description: "time of the record on the broker; null when it has none" }),
    reason: z.string().openapi({ description: "short name of what is wrong" }),
    detail: z.string(),
    rule: z
      .string()
      .nullable()
      .openapi({ description: "the rule that failed on it; null when it could not be decoded" }),
    size: z.int().openapi({ description: "bytes" }),
    sha256: z.string(),
    preview_base64: z.string().openapi({ description: `the first ${PREVIEW_BYTES} bytes` }),
  })
  .openapi("DeadLetter");

const list = createRoute({
  method: "get",
  path: "/api/v1/dead-letters",
  tags: ["data"],
  summary: "Records that could not be processed, newest first",
  request: {
    query: query({
      reason: optional(wordText(), "short name of what is wrong", "not_json"),
      rule: optional(wordText(), "the rule that failed"),
      source: optional(wordText(), "topic, or recording:<sha256>"),
      ...listParameters(DEAD_LETTERS),
    }),
  },
  responses: {
    200: {
      description: "Dead letters",
      headers: LIST_HEADERS,
      content: { "application/json": { schema: z.array(deadLetterSchema) } },
    },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export function deadLetterRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter().openapi(list, (c) => {
    const values = c.req.valid("query");
    return answerList<DeadLetterRow, unknown>(c, store, DEAD_LETTERS, deadLetterConditions(values), values, (rows) =>
      rows.map(toDeadLetter),
    );
  });
}

const NO_TIME = "1970-01-01T00:00:00.000Z";

function toDeadLetter({ cursor, preview, rule, record_time, ...row }: DeadLetterRow): z.infer<typeof deadLetterSchema> {
  return {
    ...row,
    rule: rule || null,
    record_time: record_time === NO_TIME ? null : record_time,
    preview_base64: preview,
  };
}
