/** Our routers: how they answer parameters that are wrong, and what their docs have in common. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { invalid, type Problem, problemSchema } from "./problem.ts";

/** @param options of the outermost router: how a request's path is read */
export function createRouter(options: { readonly getPath?: (request: Request) => string } = {}): OpenAPIHono {
  return new OpenAPIHono({
    ...options,
    defaultHook: (result, c) => {
      if (result.success) return;
      return invalid(
        c,
        result.error.issues.flatMap((issue) => describeIssue(issue as z.core.$ZodIssue, result.target)),
      );
    },
  });
}

function describeIssue(issue: z.core.$ZodIssue, target: string): NonNullable<Problem["errors"]> {
  if (issue.code !== "unrecognized_keys")
    return [{ parameter: issue.path.map(String).join(".") || target, detail: issue.message }];
  return issue.keys.slice(0, 20).map((key) => ({ parameter: key.slice(0, 100), detail: "There is no such parameter" }));
}

/** For the docs: a response of JSON. */
export const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** For the docs: a response that is a problem. */
export const problemResponse = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problemSchema } },
});

/** What any route may answer. */
export const COMMON_PROBLEMS = {
  403: problemResponse("The request does not come from this machine, or names another host"),
  500: problemResponse("An error on our side"),
};

export const DATABASE_PROBLEMS = {
  ...COMMON_PROBLEMS,
  503: problemResponse("The database cannot be reached"),
  504: problemResponse("The query took too long; narrow it"),
};

export const LIST_HEADERS = z.object({
  "x-total-count": z.string().openapi({ description: "rows that match, on all pages" }),
  link: z.string().openapi({ description: 'rel="first", "next", "prev"' }),
  "x-coverage": z.string().openapi({
    description:
      "who was looking, by chain (RFC 9651): `1;block=20000000;blocks=@1717200000;pending=@1717200003` has the last block and when blocks and pending transactions were last heard of; `blocks-silent`: longer ago than WEIR_SILENT_AFTER; `none`: no chain is watched; `unknown`: the control store is away",
  }),
  etag: z.string().openapi({ description: "send it as If-None-Match" }),
});
