/** Exports over HTTP: asked for, followed, cancelled, fetched; and made again by a schedule. What they are is clickhouse/exports' business. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { createRoute, z } from "@hono/zod-openapi";
import { chooseColumns, exportColumns } from "../../clickhouse/exports/columns.ts";
import { DATASETS, datasetOf } from "../../clickhouse/exports/datasets.ts";
import { FORMAT_NAMES, formatOf, isWrapped } from "../../clickhouse/exports/formats.ts";
import { type ExportSpec, exportSpec, PARTITIONS } from "../../clickhouse/exports/request.ts";
import { readTable } from "../../clickhouse/exports/storedTable.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { by } from "../auth/guard.ts";
import { mustOwn } from "../auth/own.ts";
import { BODY_PROBLEMS, bodyOf, CONTROL_PROBLEMS, idText } from "../auth/shapes.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { cronOf } from "../exports/cron.ts";
import { destinationOf } from "../exports/destination.ts";
import { createExports, type ExportRow, type ScheduleRow } from "../exports/exports.ts";
import { link, withETag } from "../list.ts";
import { paging, query, timeText } from "../parameters.ts";
import { invalid, refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, problemResponse } from "../router.ts";

const PATH = "/api/v1/exports";
const SCHEDULES = "/api/v1/export-schedules";
const TAGS = { tags: ["exports"] };
const DAY_MS = 86_400_000;
const MAX_BODY = 64 * 1024;
const formatText = z.enum(FORMAT_NAMES, `Expected one of ${FORMAT_NAMES.join(", ")}`);

const what = {
  dataset: z.string().max(100).default("transactions").openapi({ description: `one of ${DATASETS.map(({ name }) => name).join(", ")}` }),
  columns: z.array(z.string().max(200)).max(1024).optional().openapi({ description: "only these; default: all" }),
  chain_ids: z.array(z.int().min(0)).max(1024).optional().openapi({ description: "only these chains" }),
  compression: z.string().max(20).optional().openapi({ description: "parquet: zstd, snappy, gzip, none; arrow: lz4, zstd, none; others: none, gzip" }),
  partition_by: z.string().max(20).optional().openapi({ description: `a folder for each ${PARTITIONS.join(", ")}` }),
  part_rows: z.number().optional().openapi({ description: "rows of a file; default 1,000,000" }),
  upload_to: z.string().min(1).max(1000).optional().openapi({ description: "a folder, s3://bucket/prefix or gs://bucket/prefix below one of WEIR_EXPORT_TO; default: the API keeps the files" }),
}; // biome-ignore format: a parameter a line
const FROM = "from this event time on, a time or a date";
const TO = "before this event time; a date counts to its end";

const exportBody = z
  .strictObject({
    ...what,
    start_date: timeText.optional().openapi({ type: "string", description: FROM, example: "2024-01-01" }),
    end_date: z.string().max(40).optional().openapi({ description: TO, example: "2024-01-31" }),
    limit: z.number().optional().openapi({ description: "rows at most" }),
  })
  .openapi("ExportRequest");
const scheduleBody = z
  .strictObject({
    format: z
      .string()
      .max(20)
      .openapi({ description: `one of ${FORMAT_NAMES.join(", ")}`, example: "parquet" }),
    frequency: z.string().max(100).openapi({
      description: "hourly, daily, weekly, monthly, or a cron expression of five fields (UTC)",
      example: "daily",
    }),
    ...what,
  })
  .openapi("ExportScheduleRequest");

const specSchema = z
  .record(z.string(), z.unknown())
  .openapi({ description: "what is exported; times in ms since 1970" });
const exportSchema = z
  .object({
    id: z.int(),
    schedule_id: z.int().nullable(),
    status: z.enum(["queued", "running", "finished", "failed", "cancelled"]),
    dataset: z.string(),
    format: z.string(),
    spec: specSchema,
    upload_to: z.string().nullable(),
    rows: z.int().openapi({ description: "that are in files so far" }),
    total_rows: z.int().nullable().openapi({ description: "that will be; null: not known yet" }),
    bytes: z.int(),
    files: z.array(
      z.object({
        file: z.string().openapi({ description: "name below upload_to" }),
        rows: z.int(),
        bytes: z.int(),
        sha256: z.string(),
        url: z.string().nullable().openapi({ description: "where to fetch it; null: it is at upload_to" }),
      }),
    ),
    error: z.string().nullable().openapi({ description: "why it failed" }),
    created_by: z.string(),
    created_at: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
  })
  .openapi("Export");
const scheduleSchema = z
  .object({
    id: z.int(),
    frequency: z.string(),
    cron: z.string(),
    dataset: z.string(),
    format: z.string(),
    spec: specSchema,
    upload_to: z.string().nullable(),
    created_by: z.string(),
    created_at: z.string(),
    next_at: z.string(),
  })
  .openapi("ExportSchedule");

const idParam = z.object({ id: idText.openapi({ param: { description: "its id" } }) });
const NONE = problemResponse("There is none");
const REFUSED = problemResponse("What is asked for cannot be exported, or not there");
const PROBLEMS = { ...DATABASE_PROBLEMS, ...CONTROL_PROBLEMS, ...BODY_PROBLEMS, 400: REFUSED, 409: problemResponse("There are too many") }; // biome-ignore format: one line

const add = createRoute({
  ...{ method: "post", path: `${PATH}/{format}`, ...TAGS },
  summary: "Export a dataset into files",
  description: "Exports are made one after the other. Follow it at Location; its files have urls once it is finished.",
  request: {
    params: z.object({ format: formatText.openapi({ param: { description: "of the files" } }) }),
    ...bodyOf(exportBody),
  },
  responses: { 202: { ...json(exportSchema, "It waits"), headers: z.object({ location: z.string() }) }, ...PROBLEMS },
});
const list = createRoute({
  ...{ method: "get", path: PATH, ...TAGS },
  summary: "Exports, the last asked for first",
  request: { query: query(paging()) },
  responses: { 200: json(z.array(exportSchema), "Exports"), 400: problemResponse("Wrong parameters"), ...CONTROL_PROBLEMS }, // biome-ignore format: one line
});
const one = createRoute({
  ...{ method: "get", path: `${PATH}/{id}`, ...TAGS },
  summary: "How far an export is, and its files",
  request: { params: idParam },
  responses: { 200: json(exportSchema, "The export"), 404: NONE, ...CONTROL_PROBLEMS },
});
const cancel = createRoute({
  ...{ method: "delete", path: `${PATH}/{id}`, ...TAGS },
  summary: "Cancel an export: one that runs stops within a second and leaves nothing. One that is over stays",
  request: { params: idParam },
  responses: { 200: json(exportSchema, "The export"), 404: NONE, ...CONTROL_PROBLEMS },
});
const file = createRoute({
  ...{ method: "get", path: `${PATH}/{id}/files/{number}`, ...TAGS },
  summary: "A file of a finished export",
  request: { params: idParam.extend({ number: idText.openapi({ param: { description: "from 1 on" } }) }) },
  responses: {
    200: { description: "The file", content: { "application/octet-stream": { schema: z.string() } } },
    404: problemResponse("There is no such file, or it is not here"),
    ...CONTROL_PROBLEMS,
  },
});
const schedule = createRoute({
  ...{ method: "post", path: SCHEDULES, ...TAGS },
  summary: "Export again and again, each time what came since the last",
  request: bodyOf(scheduleBody),
  responses: { 201: json(scheduleSchema, "The schedule"), ...PROBLEMS },
});
const schedules = createRoute({
  ...{ method: "get", path: SCHEDULES, ...TAGS },
  summary: "Schedules of exports",
  responses: { 200: json(z.array(scheduleSchema), "Schedules"), ...CONTROL_PROBLEMS },
});
const unschedule = createRoute({
  ...{ method: "delete", path: `${SCHEDULES}/{id}`, ...TAGS },
  summary: "Export no further by a schedule",
  request: { params: idParam },
  responses: { 200: json(scheduleSchema, "The schedule that was removed"), 404: NONE, ...CONTROL_PROBLEMS },
});

export function exportRoutes({ store, control, config }: Pick<ApiDeps, "store" | "control" | "config">) {
  const exports = createExports(control);

  /** Checked, with its columns. @throws 400 */
  async function specOf(asked: z.output<typeof exportBody>, format: string, incremental: boolean): Promise<ExportSpec> {
    const { dataset, columns, chain_ids, compression, partition_by, part_rows, start_date, end_date, limit } = asked;
    const spec = exportSpec({
      ...{ dataset, format, columns, compression, limit, incremental },
      ...{ chains: chain_ids, from: start_date, to: endOf(end_date) },
      ...{ partitionBy: partition_by, partRows: part_rows },
    });
    const found = datasetOf(dataset);
    chooseColumns(found, exportColumns(await readTable(store, found)), columns);
    return spec;
  }
  const placeOf = (uploadTo: string | undefined): string | null =>
    uploadTo === undefined ? null : destinationOf(uploadTo, config.exports.to);
  const found = async (id: number): Promise<ExportRow> => {
    const row = await exports.get(id);
    if (row) return row;
    throw refuse(404, `There is no export ${id}: expected one of GET ${PATH}`);
  };

  const router = createRouter()
    .openapi(schedules, async (c) => withETag(c, (await exports.schedules()).map(toSchedule)))
    .openapi(unschedule, async (c) => {
      const { id } = c.req.valid("param");
      const row = await exports.schedule(id);
      if (!row) throw refuse(404, `There is no schedule ${id}: expected one of GET ${SCHEDULES}`);
      mustOwn(c, `the export schedule ${id}`, row.createdBy);
      await exports.removeSchedule(id, by(c));
      return c.json(toSchedule(row), 200);
    })
    .openapi(list, async (c) => {
      const { limit = 100, offset = 0 } = c.req.valid("query");
      const [rows, all] = await Promise.all([exports.list(limit, offset), exports.count()]);
      c.header("x-total-count", String(all));
      if (offset + rows.length < all) c.header("link", link(c, "next", { offset: String(offset + limit) }));
      return withETag(c, rows.map(toExport));
    })
    .openapi(one, async (c) => withETag(c, toExport(await found(c.req.valid("param").id))))
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid("param");
      mustOwn(c, `the export ${id}`, (await found(id)).createdBy);
      return c.json(toExport((await exports.cancel(id, by(c))) ?? (await found(id))), 200);
    })
    .openapi(file, async (c) => {
      const { id, number } = c.req.valid("param");
      const row = await found(id);
      const part = row.files[number - 1];
      if (!part || row.uploadTo !== null || row.place === null)
        throw refuse(404, `Export ${id} has no file ${number} here: it is ${row.status}${row.uploadTo === null ? "" : `, its files are at ${row.uploadTo}`}, expected one of its files that have a url`); // biome-ignore format: one text
      const path = join(row.place, part.file);
      if (!(await stat(path).catch(() => undefined)))
        throw refuse(404, `The file ${part.file} of export ${id} is not there any more: ask for the export again`);
      const format = formatOf(row.spec.format);
      return c.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, {
        "content-type": isWrapped(format, row.spec.compression) ? "application/gzip" : format.mediaType,
        "content-length": String(part.bytes),
        "content-disposition": `attachment; filename="${basename(part.file)}"`,
        etag: `"${part.sha256}"`,
      }) as never;
    });

  // By plain handlers: their bodies are read no further than the limit.
  router.openAPIRegistry.registerPath(add);
  router.post(`${PATH}/:format`, async (c) => {
    const format = formatText.safeParse(c.req.param("format"));
    if (!format.success) return invalid(c, [{ parameter: "format", detail: format.error.issues[0]!.message }]);
    const asked = await readJson(c, "the export", exportBody, MAX_BODY);
    if (asked instanceof Response) return asked;
    const row = await refusing(async () => {
      const spec = await specOf(asked, format.data, false);
      return exports.add({ spec, uploadTo: placeOf(asked.upload_to), by: by(c) });
    });
    c.header("location", `${PATH}/${row.id}`);
    return c.json(toExport(row), 202);
  });
  router.openAPIRegistry.registerPath(schedule);
  router.post(SCHEDULES, async (c) => {
    const asked = await readJson(c, "the schedule", scheduleBody, MAX_BODY);
    if (asked instanceof Response) return asked;
    const { format, frequency, ...rest } = asked;
    const row = await refusing(async () => {
      const [cron, spec] = [cronOf(frequency), await specOf(rest, format, true)];
      return exports.addSchedule({ spec, uploadTo: placeOf(rest.upload_to), by: by(c), frequency, cron });
    });
    return c.json(toSchedule(row), 201);
  });
  return router;
}

/** A date counts to its end. @throws UserError */
function endOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const parsed = timeText.safeParse(text);
  if (!parsed.success)
    throw new UserError(`Cannot export until "${text}": it is no time, expected one such as 2024-01-31 or 2024-01-31T10:30:00Z`); // biome-ignore format: one text
  return text.length === "2024-01-31".length ? new Date(parsed.data.getTime() + DAY_MS) : parsed.data;
}

/** What cannot be exported is the client's matter. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw refuse(400, [error.message, error.next].filter(Boolean).join(". "));
  }
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

const toExport = (row: ExportRow): z.infer<typeof exportSchema> => ({
  ...{ id: row.id, schedule_id: row.scheduleId, status: row.status, dataset: row.spec.dataset, format: row.spec.format },
  ...{ spec: { ...row.spec }, upload_to: row.uploadTo, ...row.progress },
  files: row.files.map((part, i) => ({ ...part, url: row.uploadTo === null ? `${PATH}/${row.id}/files/${i + 1}` : null })),
  ...{ error: row.error, created_by: row.createdBy, created_at: row.createdAt.toISOString() },
  ...{ started_at: iso(row.startedAt), finished_at: iso(row.finishedAt) },
}); // biome-ignore format: the body at a glance

const toSchedule = (row: ScheduleRow): z.infer<typeof scheduleSchema> => ({
  ...{ id: row.id, frequency: row.frequency, cron: row.cron, dataset: row.spec.dataset, format: row.spec.format },
  ...{ spec: { ...row.spec }, upload_to: row.uploadTo, created_by: row.createdBy },
  ...{ created_at: row.createdAt.toISOString(), next_at: row.nextAt.toISOString() },
});
