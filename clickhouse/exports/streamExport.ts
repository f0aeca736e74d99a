import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../engine/ops/errors.ts";
import type { Store } from "../client.ts";
import { chooseColumns, exportColumns } from "./columns.ts";
import { datasetOf } from "./datasets.ts";
import { formatOf } from "./formats.ts";
import { partQuery } from "./partQuery.ts";
import { readBounds } from "./plan.ts";
import type { ExportSpec } from "./request.ts";
import { readTable } from "./storedTable.ts";
import { partStreams } from "./writePart.ts";

/**
 * An export as one stream, into a pipe: it cannot be gone on with.
 * @throws UserError for what needs files: HDF5, partitions, "since the last export"
 */
export async function streamExport(
  store: Store,
  spec: ExportSpec,
  to: NodeJS.WritableStream,
  signal?: AbortSignal,
): Promise<void> {
  const needsFiles =
    spec.format === "hdf5" ? "hdf5" : (spec.partitionBy ?? (spec.incremental ? "incremental" : undefined));
  if (needsFiles !== undefined)
    throw new UserError(`Cannot export "${needsFiles}" to standard output: it needs files, expected a folder`, {
      next: "Add --out FOLDER",
    });
  const dataset = datasetOf(spec.dataset);
  const shape = await readTable(store, dataset);
  const columns = chooseColumns(dataset, exportColumns(shape), spec.columns ?? undefined);
  const input = { dataset, shape, spec };
  const query = partQuery(input, columns, await readBounds(store, input, []), undefined, true);
  const streams = await partStreams({
    store,
    query,
    columns,
    format: formatOf(spec.format),
    compression: spec.compression,
  });
  await pipeline([...streams, to] as [Readable, NodeJS.WritableStream], signal ? { signal } : {});
}
