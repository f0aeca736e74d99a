/** Errors as problem+json (RFC 9457). `detail` is for people, and where it matters the text that earlier clients know. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { StoreRefused, StoreUnavailable } from "../clickhouse/storeErrors.ts";
import { AccessConflict, AccessInvalid, LoginLocked, LoginRefused } from "../engine/access/errors.ts";
import { ControlUnavailable } from "../engine/control/errors.ts";
import { LabelConflict } from "../engine/label/labels.ts";
import { ServiceUnavailable, stripCredentials, type WeirError } from "../engine/ops/errors.ts";
import { RuleConflict } from "../engine/rules/lifecycle.ts";
import { ListConflict, NoSuchList } from "../engine/world/lists.ts";
import { ChannelConflict } from "./notify/channels.ts";
import { TemplateRefused } from "./notify/template.ts";

export const problemSchema = z
  .object({
    type: z.string().openapi({ description: "about:blank: the status says it all" }),
    title: z.string().openapi({ example: "Bad Request" }),
    status: z.int().openapi({ example: 400 }),
    detail: z.string().openapi({ description: "what is wrong and what to do about it" }),
    instance: z.string().optional().openapi({ description: "path of the request" }),
    errors: z
      .array(z.object({ parameter: z.string(), detail: z.string() }))
      .optional()
      .openapi({ description: "each parameter that is wrong" }),
    findings: z
      .array(
        z.object({
          code: z.string(),
          message: z.string(),
          section: z.string().nullable(),
          function: z.int().nullable(),
          offset: z.int().nullable(),
          limit: z.number().nullable(),
          actual: z.union([z.number(), z.string()]).nullable(),
        }),
      )
      .optional()
      .openapi({ description: "why a rule module was refused" }),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof problemSchema>;

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** A response, and the header `content-type: application/problem+json`. */
export function problem(
  c: Context,
  status: ContentfulStatusCode,
  detail: string,
  more: Pick<Problem, "errors" | "findings"> & { headers?: Record<string, string> } = {},
) {
  const { headers, ...rest } = more;
  const body = {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail,
    instance: pathOf(c),
    ...rest,
  };
  // The cast tells the route's type that this is not one of its bodies: problems are documented once for all routes.
  return c.body(JSON.stringify(body), status, { ...headers, "content-type": "application/problem+json" }) as never;
}

/** 400 that names each parameter that is wrong. */
export function invalid(c: Context, errors: NonNullable<Problem["errors"]>) {
  const detail = errors.map(({ parameter, detail }) => `Invalid ${parameter}: ${detail}`).join("; ");
  return problem(c, 400, detail.slice(0, 4_096), { errors });
}

/** Of a body that a schema does not take. */
export const bodyErrors = (issues: readonly z.core.$ZodIssue[]): NonNullable<Problem["errors"]> =>
  issues.map(({ path, message }) => ({ parameter: path.map(String).join(".") || "body", detail: message }));

/** As it was sent: c.req.path is decoded. */
export function pathOf(c: Context): string {
  return new URL(c.req.url).pathname.slice(0, 256);
}

/** Throw it anywhere in a handler. */
export function refuse(status: ContentfulStatusCode, detail: string): HTTPException {
  return new HTTPException(status, { message: detail });
}

export type Kind = "client" | "unreachable" | "timeout" | "database" | "bug";

/** ClickHouse's names for a query that was stopped at a limit. */
const AT_LIMIT = new Set(["TIMEOUT_EXCEEDED", "TOO_SLOW", "TOO_MANY_ROWS", "TOO_MANY_BYTES", "MEMORY_LIMIT_EXCEEDED"]);

export interface Classified {
  /** for api_errors_total{error_type} */
  readonly kind: Kind;
  readonly status: ContentfulStatusCode;
  readonly detail: string;
  readonly errors?: NonNullable<Problem["errors"]>;
  readonly headers?: Record<string, string>;
}

/** What went wrong, for the answer. */
export function classify(error: unknown): Classified {
  if (error instanceof HTTPException)
    return { kind: "client", status: error.status as ContentfulStatusCode, detail: error.message };
  if (error instanceof StoreUnavailable || error instanceof StoreRefused) {
    if (AT_LIMIT.has(error.type ?? ""))
      return {
        kind: "timeout",
        status: 504,
        detail: "The query reached a limit; narrow it by since, until, chain_id or an address",
      };
    if (error instanceof StoreUnavailable)
      return { kind: "unreachable", status: 503, detail: "Database not connected" };
    return { kind: "database", status: 500, detail: "Failed to query database" };
  }
  if (error instanceof ControlUnavailable)
    return {
      kind: "unreachable",
      status: 503,
      detail: "Control store not connected: the rules go on as they are, and cannot be changed until it is back",
    };
  if (error instanceof NoSuchList) return { kind: "client", status: 404, detail: wordsOf(error) };
  if (error instanceof RuleConflict || error instanceof ListConflict || error instanceof LabelConflict)
    return { kind: "client", status: 409, detail: wordsOf(error) };
  if (error instanceof AccessConflict || error instanceof ChannelConflict)
    return { kind: "client", status: 409, detail: wordsOf(error) };
  if (error instanceof TemplateRefused) return { kind: "client", status: 400, detail: wordsOf(error) };
  if (error instanceof AccessInvalid)
    return {
      ...{ kind: "client", status: 400, detail: error.message },
      errors: [{ parameter: error.parameter, detail: error.message }],
    };
  if (error instanceof LoginRefused) return { kind: "client", status: 401, detail: error.message };
  if (error instanceof LoginLocked)
    return {
      ...{ kind: "client", status: 429, detail: error.message },
      headers: { "retry-after": String(error.retryAfterSeconds) },
    };
  if (error instanceof ServiceUnavailable) return { kind: "unreachable", status: 503, detail: wordsOf(error) };
  return { kind: "bug", status: 500, detail: "An error on our side; the log has the details" };
}

const wordsOf = ({ message, next }: WeirError): string => [message, next].filter(Boolean).join(". ");

export function messageOf(error: unknown): string {
  return stripCredentials(error instanceof Error ? error.message : String(error));
}
