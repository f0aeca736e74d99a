/** The transactions of a recording as frames, batch by batch, decoded as a worker decodes them. */
import { createBlockEdges } from "../../dispatch/blockEdges.ts";
import { CONTENT } from "../../frame/content.ts";
import { packBatch } from "../../source/batch.ts";
import { readLines } from "../../source/recording.ts";
import { recordsOf, type SourceRecord } from "../../source/records.ts";
import { createDecoder, type Decoded } from "../../worker/decode.ts";
import { createWorld } from "../../world/world.ts";
import { loadConfiguration } from "../configuration.ts";

/** As in the engine: a batch is cut where either is reached, and no block is open. */
export const BATCH_RECORDS = 4_096;
const BATCH_BYTES = 8 * 1024 * 1024;

/** What is yielded is valid until the next one is asked for. @throws UserError when the file cannot be read */
export async function* recordingBatches(
  path: string,
  records = BATCH_RECORDS,
): AsyncGenerator<{ readonly decoded: Decoded /** lines read so far */; readonly lines: number }> {
  const decode = createDecoder(createWorld({ chains: loadConfiguration().config.engine.chains }));
  const edges = createBlockEdges();
  let queue: SourceRecord[] = [];
  let bytes = 0;
  let lines = 0;
  /** What is queued up to where it may be cut; nothing while a block is open that it begins with. */
  function* cut() {
    const end = edges.end(queue[0]!.offset, lines);
    if (end === undefined) return;
    const batch = queue.filter(({ offset }) => offset < end);
    queue = queue.slice(batch.length);
    bytes = queue.reduce((sum, { value }) => sum + value!.length, 0);
    yield { decoded: decode(packBatch("recording", 0, batch[0]!.offset, end, batch)), lines };
  }
  for await (const value of readLines(path)) {
    const offset = lines++;
    if (value.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue;
    const record = { offset, time: 0, content: CONTENT.json, value };
    edges.add(recordsOf([record]), 0);
    queue.push(record);
    bytes += value.length;
    if (queue.length >= records || bytes >= BATCH_BYTES) yield* cut();
  }
  edges.giveUp();
  while (queue.length > 0) yield* cut();
}
