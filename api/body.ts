import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { jsonProblem } from "../engine/ops/plainJson.ts";
import { bodyErrors, invalid, refuse } from "./problem.ts";

/**
 * The body of a request, read no further than the limit, whatever Content-Length says.
 * @param what completes "Cannot read …": "the module"
 * @throws 413, and 415 for another content type
 */
export async function readBody(c: Context, what: string, contentType: string, most: number): Promise<Uint8Array> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== contentType)
    throw refuse(415, `Cannot read a body of type "${(type ?? "").slice(0, 100)}": expected ${contentType}`);
  const tooLarge = () => refuse(413, `Cannot read ${what}: it is larger than ${most} bytes, expected at most that`);
  if (Number(c.req.header("content-length") ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > most) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * A body of JSON as its schema says, whose own words are the answer where it is not.
 * @param what completes "Cannot read …": "the login"
 * @returns a 400 when it does not fit @throws 413, 415
 */
export async function readJson<S extends z.ZodType>(
  c: Context,
  what: string,
  schema: S,
  most = 4096,
): Promise<z.output<S> | Response> {
  const text = Buffer.from(await readBody(c, what, "application/json", most)).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(400, `Cannot read ${what} as JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  const problem = jsonProblem(value);
  if (problem) throw refuse(400, `Cannot read ${what}: ${problem}`);
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : invalid(c, bodyErrors(parsed.error.issues));
}
