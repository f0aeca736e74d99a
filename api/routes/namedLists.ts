import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  entryForm,
  LIST_BYTES,
  LIST_KINDS,
  LIST_LIMITS,
  LIST_NAME,
  type ListKind,
} from "../../engine/condition/listKinds.ts";
import { entryBytes, isIn, type ListChange, type ListInfo } from "../../engine/world/lists.ts";
import { sortedEntries } from "../../engine/world/listTable.ts";
import { createListTextReader, type ListProblem, MAX_LIST_TEXT } from "../../engine/world/listText.ts";
import { by } from "../auth/guard.ts";
import { mustOwn } from "../auth/own.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { link, withETag } from "../list.ts";
import { bodyErrors, problem, refuse } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, json, problemResponse } from "../router.ts";

/** Entries that one PATCH names: 10,000 topics twice, and some. */
const MAX_EDIT = 10_000;
const MAX_EDIT_BYTES = 2 << 20;
const MAX_ENTRIES = 10_000;
const MAX_AUDIT = 1_000;

export const namedListSchema = z
  .object({
    name: z.string(),
    kind: z.enum(LIST_KINDS).openapi({ description: "addresses and tokens have 20 bytes, selectors 4, topics 32" }),
    owner: z.string().openapi({ description: "who made it" }),
    version: z.int().openapi({ description: "counts its changes from 1" }),
    content: z.string().openapi({ description: "names the entries of this version" }),
    size: z.int().openapi({ description: "entries" }),
    created_at: z.string(),
    updated_at: z.string(),
    rules: z.array(z.string()).openapi({ description: "that run and name it" }),
  })
  .openapi("NamedList");

export const listChangeSchema = namedListSchema
  .extend({
    added: z.int().openapi({ description: "entries that were not there" }),
    removed: z.int().openapi({ description: "entries that were there" }),
  })
  .openapi("NamedListChange");

const membershipSchema = z.object({ list: z.string(), entry: z.string(), has: z.boolean() }).openapi("ListMembership");

const auditSchema = z
  .object({ at: z.string(), who: z.string(), action: z.string(), before: z.unknown(), after: z.unknown() })
  .openapi("NamedListAudit");

const nameText = z.string().regex(LIST_NAME.pattern, LIST_NAME.expected);
const nameSchema = z.object({
  name: nameText.openapi({ param: { description: "name of the list" }, example: "sanctioned" }),
});
const READ_PROBLEMS = {
  400: problemResponse("Wrong parameters"),
  404: problemResponse("No such list"),
  503: problemResponse("The control store cannot be reached"),
  ...COMMON_PROBLEMS,
};

const TAGS = { tags: ["lists"] };
const PATH = "/api/v1/lists/{name}";

const all = createRoute({
  ...{ method: "get", path: "/api/v1/lists", ...TAGS },
  summary: "Named lists in the order of their names",
  responses: { 200: json(z.array(namedListSchema), "Lists"), ...COMMON_PROBLEMS },
});

const one = createRoute({
  ...{ method: "get", path: PATH, ...TAGS },
  summary: "One list",
  request: { params: nameSchema },
  responses: { 200: json(namedListSchema, "The list"), ...READ_PROBLEMS },
});

const limitOf = (most: number, by: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .default(by)
    .openapi({ param: { description: `1 to ${most}` } });

const entries = createRoute({
  ...{ method: "get", path: `${PATH}/entries`, ...TAGS },
  summary: "Entries in the order of their bytes; the header Link says where to go on",
  request: {
    params: nameSchema,
    query: z.strictObject({
      limit: limitOf(MAX_ENTRIES, 1_000),
      after: z
        .string()
        .max(66)
        .optional()
        .openapi({ param: { description: "begin behind this entry" } }),
    }),
  },
  responses: { 200: json(z.array(z.string()), "Entries"), ...READ_PROBLEMS },
});

const membership = createRoute({
  ...{ method: "get", path: `${PATH}/entries/{entry}`, ...TAGS },
  summary: "Whether an entry is in the list",
  request: { params: nameSchema.extend({ entry: z.string().max(66) }) },
  responses: { 200: json(membershipSchema, "The answer"), ...READ_PROBLEMS },
});

const audit = createRoute({
  ...{ method: "get", path: `${PATH}/audit`, ...TAGS },
  summary: "What was done to a list and by whom, the last first",
  request: { params: nameSchema, query: z.strictObject({ limit: limitOf(MAX_AUDIT, 100) }) },
  responses: { 200: json(z.array(auditSchema), "Entries"), ...READ_PROBLEMS },
});

const put = createRoute({
  ...{ method: "put", path: PATH, ...TAGS },
  summary: "Make a list, or replace all that is in it",
  description: `Text with an entry a line, 0x and hexadecimal digits in either case; what follows a # is a note. At most ${LIST_LIMITS.entries}
entries. A list keeps its kind. Engines have the change within a second; what makes no difference is no new version.`,
  request: {
    params: nameSchema,
    query: z.strictObject({
      kind: z
        .enum(LIST_KINDS)
        .optional()
        .openapi({ param: { description: "what the entries are: address, unless the list is there already" } }),
    }),
    body: { required: true, content: { "text/plain": { schema: z.string() } } },
  },
  responses: {
    200: json(listChangeSchema, "The list"),
    201: json(listChangeSchema, "A new list"),
    ...READ_PROBLEMS,
    400: problemResponse("Each line that is no entry, and what was expected"),
    409: problemResponse("The list is of another kind, or would have too many entries"),
    413: problemResponse("The text is too large"),
    415: problemResponse("The body is not text/plain"),
  },
});

const editSchema = z.strictObject({
  add: z.array(z.string()).max(MAX_EDIT).default([]),
  remove: z.array(z.string()).max(MAX_EDIT).default([]),
});

const edit = createRoute({
  ...{ method: "patch", path: PATH, ...TAGS },
  summary: "Add entries to a list, and remove some",
  description: `At most ${MAX_EDIT} each: more are a text for PUT. What is there already is not added, what is not there is not removed.`,
  request: {
    params: nameSchema,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({ add: z.array(z.string()).optional(), remove: z.array(z.string()).optional() }).openapi({
            example: { add: ["0x7a250d5630b4cf539739df2c5dacb4c659f2488d"] },
          }),
        },
      },
    },
  },
  responses: {
    200: json(listChangeSchema, "The list"),
    ...READ_PROBLEMS,
    409: problemResponse("The list would have too many entries"),
    413: problemResponse("The edit is too large"),
    415: problemResponse("The body is not application/json"),
  },
});

const remove = createRoute({
  ...{ method: "delete", path: PATH, ...TAGS },
  summary: "Remove a list that no rule needs",
  request: { params: nameSchema },
  responses: {
    200: json(namedListSchema, "The list that is gone"),
    ...READ_PROBLEMS,
    409: problemResponse("Rules that run name it"),
  },
});

export function namedListRoutes({ rules, log }: Pick<ApiDeps, "rules" | "log">) {
  const { lists } = rules;
  const router = createRouter();
  function known(name: string): ListInfo {
    const info = lists.get(name);
    if (!info) throw refuse(404, "List not found");
    return info;
  }
  const toList = ({ name, kind, owner, version, id, size, createdAt, updatedAt }: ListInfo) => ({
    ...{ name, kind, owner, version, content: id, size },
    ...{ created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString(), rules: rules.naming(name) },
  });
  function changed(c: Context, action: string, { list, isNew, added, removed }: ListChange) {
    const { name, version, size } = list;
    log.info({ event: "list_changed", list: name, action, version, size, added, removed }, "Changed a list");
    return c.json({ ...toList(list), added, removed }, isNew ? 201 : 200) as never;
  }

  // Not by its schema: the body is read as it comes in, and no further than the limit.
  router.openAPIRegistry.registerPath(put);
  router.put(PATH.replace("{name}", ":name"), async (c) => {
    const name = nameText.safeParse(c.req.param("name"));
    const wanted = put.request.query.safeParse(c.req.query());
    if (!name.success) return problem(c, 400, `Invalid name: ${LIST_NAME.expected}`);
    if (!wanted.success)
      return problem(c, 400, `Invalid kind: expected one of ${LIST_KINDS.join(", ")}, and no other parameter`);
    mustOwn(c, `the list "${name.data}"`, lists.get(name.data)?.owner);
    const kind = wanted.data.kind ?? lists.get(name.data)?.kind ?? "address";
    const text = await readEntries(c, kind);
    if (!text.ok) return problem(c, 400, describe(text.problems), { errors: text.problems.map(asError) });
    return changed(c, "put", await lists.put(name.data, kind, text.entries, by(c)));
  });

  router.openAPIRegistry.registerPath(edit);
  router.patch(PATH.replace("{name}", ":name"), async (c) => {
    const { kind, name, owner } = known(c.req.param("name")!);
    mustOwn(c, `the list "${name}"`, owner);
    const body = await readBody(c, "the edit", "application/json", MAX_EDIT_BYTES);
    const parsed = parseEdit(kind, Buffer.from(body).toString("utf8"));
    if (!parsed.ok)
      return problem(
        c,
        400,
        parsed.errors.map(({ parameter, detail }) => `Invalid ${parameter}: ${detail}`).join("; "),
        {
          errors: parsed.errors,
        },
      );
    return changed(c, "edit", await lists.edit(name, parsed, by(c)));
  });

  return router
    .openapi(all, (c) => withETag(c, lists.list().map(toList))) // biome-ignore format: one expression
    .openapi(one, (c) => withETag(c, toList(known(c.req.valid("param").name))))
    .openapi(entries, async (c) => {
      const { name, kind } = known(c.req.valid("param").name);
      const { limit, after } = c.req.valid("query");
      const behind = after === undefined ? undefined : needEntry(kind, "after", after);
      const found = await sortedEntries(await lists.table(name), { limit, after: behind });
      const texts = found.map((entry) => `0x${entry.toString("hex")}`);
      if (texts.length === limit) c.header("link", link(c, "next", { after: texts.at(-1)! }));
      return withETag(c, texts);
    })
    .openapi(membership, async (c) => {
      const { name, entry } = c.req.valid("param");
      const { kind } = known(name);
      const has = isIn(await lists.table(name), needEntry(kind, "entry", entry));
      return withETag(c, { list: name, entry: entry.toLowerCase(), has });
    })
    .openapi(audit, async (c) => {
      const found = await lists.audit(c.req.valid("param").name, c.req.valid("query").limit);
      if (found.length === 0) known(c.req.valid("param").name);
      return withETag(
        c,
        found.map(({ at, who, action, before, after }) => ({ at: at.toISOString(), who, action, before, after })),
      );
    })
    .openapi(remove, async (c) => {
      const { name } = c.req.valid("param");
      const gone = toList(known(name));
      mustOwn(c, `the list "${name}"`, gone.owner);
      await lists.remove(name, by(c));
      log.info({ event: "list_removed", list: name }, "Removed a list");
      return c.json(gone, 200);
    });
}

/** @throws 413, 415 */
async function readEntries(c: Context, kind: ListKind) {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "text/plain")
    throw refuse(
      415,
      `Cannot read a body of type "${(type ?? "").slice(0, 100)}": expected text/plain, an entry a line`,
    );
  const tooLarge = () =>
    refuse(413, `Cannot read the list: it is larger than ${MAX_LIST_TEXT} bytes, expected at most that`);
  if (Number(c.req.header("content-length") ?? 0) > MAX_LIST_TEXT) throw tooLarge();
  const reader = createListTextReader(kind);
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > MAX_LIST_TEXT) throw tooLarge();
    if (!reader.feed(chunk)) break;
  }
  return reader.done();
}

const asError = ({ line, value, message }: ListProblem) => ({
  parameter: `line ${line}`,
  detail: `${message}; got "${value}"`,
});

function describe(problems: readonly ListProblem[]): string {
  const words = problems.map(({ line, value, message }) => `line ${line}: ${message}; got "${value}"`);
  return `Cannot read the list: ${words.join(". ")}. Mend the lines, or begin a note with #`.slice(0, 4096);
}

function needEntry(kind: ListKind, parameter: string, text: string): Uint8Array {
  const bytes = entryBytes(kind, text);
  if (bytes) return bytes;
  throw refuse(400, `Invalid ${parameter}: expected ${entryForm(kind)}; got "${text}"`);
}

type Edit =
  | { readonly ok: true; readonly added: Uint8Array; readonly removed: Uint8Array }
  | { readonly ok: false; readonly errors: { parameter: string; detail: string }[] };

function parseEdit(kind: ListKind, text: string): Edit {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return { ok: false, errors: [{ parameter: "body", detail: `Expected JSON: ${(error as Error).message}` }] };
  }
  const parsed = editSchema.safeParse(body);
  if (!parsed.success)
    return {
      ok: false,
      errors: bodyErrors(parsed.error.issues),
    };
  const errors: { parameter: string; detail: string }[] = [];
  const read = (member: "add" | "remove"): Uint8Array => {
    const bytes = new Uint8Array(parsed.data[member].length * LIST_BYTES[kind]);
    for (const [i, entry] of parsed.data[member].entries()) {
      const read = entryBytes(kind, entry);
      if (read) bytes.set(read, i * LIST_BYTES[kind]);
      else if (errors.length < 20)
        errors.push({
          parameter: `${member}.${i}`,
          detail: `Expected ${entryForm(kind)}; got "${entry.slice(0, 80)}"`,
        });
    }
    return bytes;
  };
  const [added, removed] = [read("add"), read("remove")];
  const adding = new Set(parsed.data.add.map((entry) => entry.toLowerCase()));
  const both = parsed.data.remove.findIndex((entry) => adding.has(entry.toLowerCase()));
  if (both >= 0)
    errors.push({ parameter: `remove.${both}`, detail: "Expected an entry that is not to be added as well" });
  return errors.length > 0 ? { ok: false, errors } : { ok: true, added, removed };
}
