/** The time machine over HTTP: its segments, and rows of its files. Changing it is `weir archive`'s business. */
import { createRoute, z } from "@hono/zod-openapi";
import { ARCHIVED_TABLES } from "../../clickhouse/archive/columns.ts";
import type { Manifest } from "../../clickhouse/archive/manifest.ts";
import { ARCHIVED_ORDER, type ArchiveReader, MAX_SEGMENTS } from "../../clickhouse/archive/reader.ts";
import { StoreRefused } from "../../clickhouse/storeErrors.ts";
import { ServiceUnavailable, UserError } from "../../engine/ops/errors.ts";
import { encodeCursor } from "../cursor.ts";
import type { ApiDeps } from "../deps.ts";
import { link, withETag } from "../list.ts";
import { addressText, chain, hashText, listParameters, optional, query, safeInteger, times } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";

const count = (description: string) => z.int().openapi({ description });

export const segmentSchema = z
  .object({
    id: z.string(),
    created_at: z.string(),
    source: z.string().openapi({ description: "topic, or recording:<sha256>" }),
    ranges: z
      .array(z.object({ partition: z.int(), from: count("first offset"), to: count("offset after the last") }))
      .openapi({ description: "positions it covers" }),
    late: z.boolean().openapi({ description: "rows that came to positions that were archived before" }),
    format: z.enum(["parquet", "json"]),
    compression: z.string(),
    chain_ids: z
      .array(z.int())
      .openapi({ description: "chains of its transactions; empty when there are more than 100" }),
    tables: z.array(
      z.object({
        table: z.string(),
        rows: z.int(),
        bytes: z.int(),
        sha256: z.string().openapi({ description: "of the file" }),
        checksum: z.string().openapi({ description: "sum of the rows' hashes, decimal" }),
        first_us: z.string().openapi({ description: "least time of its rows, µs since 1970" }),
        last_us: z.string().openapi({ description: "greatest time of its rows, µs since 1970" }),
      }),
    ),
  })
  .openapi("ArchiveSegment");

const NO_ARCHIVE = problemResponse("No archive is configured, or there is no such segment");

const list = createRoute({
  method: "get",
  path: "/api/v1/archive",
  tags: ["archive"],
  summary: "Segments of the archive, oldest first",
  request: { query: query({ ...chain, ...times }) },
  responses: {
    200: json(z.array(segmentSchema), "Segments that may have rows of the chain and period"),
    400: problemResponse("Wrong parameters"),
    404: NO_ARCHIVE,
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/archive/segments/{id}",
  tags: ["archive"],
  summary: "One segment: its positions, files and checksums",
  request: {
    params: z.object({
      id: z
        .string()
        .regex(/^[0-9TZa-f-]{1,40}$/, "Expected the id of a segment")
        .openapi({ param: { description: "its id" } }),
    }),
  },
  responses: {
    200: json(segmentSchema, "The segment"),
    400: problemResponse("Not an id"),
    404: NO_ARCHIVE,
    ...DATABASE_PROBLEMS,
  },
});

const rows = createRoute({
  method: "get",
  path: "/api/v1/archive/{table}",
  tags: ["archive"],
  summary: "Archived rows of a table, newest first, read from the files without restoring them",
  description: `Rows have all columns of the table: bytes in hex, times as RFC 3339, integers of 64 bits and more as decimal text. \`block_status\` says whether the row's block was replaced since. At most ${MAX_SEGMENTS} segments are looked into; ask for less time then.`,
  request: {
    params: z.object({
      table: z
        .enum(ARCHIVED_TABLES as [string, ...string[]], `Expected one of ${ARCHIVED_TABLES.join(", ")}`)
        .openapi({ param: { description: "table" }, example: "transactions" }),
    }),
    query: query({
      ...chain,
      hash: optional(hashText, "of the transaction"),
      address: optional(addressText, "in any column that holds addresses"),
      block_number: optional(safeInteger, "height"),
      ...listParameters({ order: ARCHIVED_ORDER, table: "", columns: [] }),
    }),
  },
  responses: {
    200: {
      description: "Rows",
      headers: LIST_HEADERS,
      content: { "application/json": { schema: z.array(z.record(z.string(), z.unknown())) } },
    },
    400: problemResponse("Wrong parameters, or too many segments"),
    404: NO_ARCHIVE,
    ...DATABASE_PROBLEMS,
  },
});

/** What is wrong with the archive's place is no fault of who asks, and none of ours. */
function unreadable(error: unknown): never {
  if (error instanceof RangeError) throw refuse(400, error.message);
  if (error instanceof UserError) throw new ServiceUnavailable(error.message, { next: error.next, cause: error });
  if (error instanceof StoreRefused)
    throw new ServiceUnavailable("Cannot read a file of the archive: the log says why", {
      next: "`weir archive verify` looks at all of them",
      cause: error,
    });
  throw error;
}

export function archiveRoutes({ archive }: Pick<ApiDeps, "archive">) {
  const required = (): ArchiveReader => {
    if (archive) return archive;
    throw refuse(404, "There is no archive: set WEIR_ARCHIVE to the folder that it is in, and restart");
  };
  return createRouter()
    .openapi(list, async (c) => {
      const { chain_id, chainId, since, until } = c.req.valid("query");
      const segments = await required()
        .segments({ chainId: chain_id ?? chainId, since, until })
        .catch(unreadable);
      return withETag(c, segments.map(toSegment));
    })
    .openapi(one, async (c) => {
      const { id } = c.req.valid("param");
      const segment = (await required().segments().catch(unreadable)).find((each) => each.id === id);
      if (!segment) throw refuse(404, `There is no segment "${id}" in the archive`);
      return withETag(c, toSegment(segment));
    })
    .openapi(rows, async (c) => {
      const { table } = c.req.valid("param");
      const { chain_id, chainId, block_number, limit = 100, offset = 0, cursor, ...filter } = c.req.valid("query");
      const reader = required();
      const asked = { ...filter, chainId: chain_id ?? chainId, blockNumber: block_number };
      const page = await reader.rows(table, asked, { limit, offset, after: cursor }).catch(unreadable);
      const last = page.rows.at(-1);
      c.header("x-total-count", page.total);
      const links = [link(c, "first", { cursor: null, offset: null })];
      if (last && page.rows.length === limit)
        links.push(link(c, "next", { cursor: encodeCursor(last.cursor), offset: null }));
      if (offset > 0) links.push(link(c, "prev", { offset: String(Math.max(0, offset - limit)) }));
      c.header("link", links.join(", "));
      return withETag(
        c,
        page.rows.map(({ cursor: _, ...row }) => row),
      );
    });
}

const toSegment = ({ version: _, tables, chains, ...segment }: Manifest): z.infer<typeof segmentSchema> => ({
  ...segment,
  chain_ids: chains.map(Number),
  tables: Object.entries(tables).map(([table, { rows, bytes, sha256, checksum, first, last }]) => ({
    ...{ table, rows, bytes, sha256, checksum },
    first_us: first,
    last_us: last,
  })),
});
