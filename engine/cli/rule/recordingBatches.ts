/** The transactions of a recording as frames, batch by batch, decoded as a worker decodes them. */
import { CONTENT } from "../../frame/content.ts";
import { packBatch, type SourceRecord } from "../../source/batch.ts";
import { readLines } from "../../source/recording.ts";
import { createDecoder, type Decoded } from "../../worker/decode.ts";
import { createWorld } from "../../world/world.ts";
import { loadConfiguration } from "../configuration.ts";

/** As in the engine: a batch is cut where either is reached. */
export const BATCH_RECORDS = 4_096;
const BATCH_BYTES = 8 * 1024 * 1024;

/** What is yielded is valid until the next one is asked for. @throws UserError when the file cannot be read */
export async function* recordingBatches(
  path: string,
  records = BATCH_RECORDS,
): AsyncGenerator<{ readonly decoded: Decoded /** lines read so far */; readonly lines: number }> {
  const decode = createDecoder(createWorld({ chains: loadConfiguration().config.engine.chains }));
  let batch: SourceRecord[] = [];
  let bytes = 0;
  let lines = 0;
  const cut = () => {
    const decoded = decode(packBatch("recording", 0, batch[0]!.offset, lines, batch));
    batch = [];
    bytes = 0;
    return { decoded, lines };
  };
  for await (const value of readLines(path)) {
    const offset = lines++;
    if (value.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue;
    batch.push({ offset, time: 0, content: CONTENT.json, value });
    bytes += value.length;
    if (batch.length === records || bytes >= BATCH_BYTES) yield cut();
  }
  if (batch.length > 0) yield cut();
}
