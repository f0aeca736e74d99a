import { frameOfRow, type StoredRow } from "../../clickhouse/frameOfRow.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import type { Decoded } from "./decode.ts";

/** Makes batches of stored transactions as if they had just been decoded; what it returns is valid until the next call. */
export function createStoredBatches(): (source: string, partition: number, rows: readonly StoredRow[]) => Decoded {
  const writer = createFrameWriter();
  return (source, partition, rows) => {
    writer.reset();
    for (const row of rows) frameOfRow(writer, row);
    return {
      source,
      partition,
      from: Number(rows[0]!.offset),
      count: rows.length,
      bytes: writer.bytes,
      words: writer.u32,
      frames: writer.offsets,
      offsets: Float64Array.from(rows, ({ offset }) => Number(offset)),
      times: Float64Array.from(rows, ({ record_ms }) => Number(record_ms)),
      indexes: Uint32Array.from(rows, ({ n }) => n),
      events: Float64Array.from(rows, ({ event_us }) => Number(event_us)),
      failures: [],
    };
  };
}
