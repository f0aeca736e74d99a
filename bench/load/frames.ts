import { CONTENT } from "../../engine/frame/content.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { createDecoder, type Decoded } from "../../engine/worker/decode.ts";
import { createWorld } from "../../engine/world/world.ts";

/** That loads have. */
export const CHAINS = [1, 56, 137, 42161, 31337];

/**
 * Transactions as the worker decodes them, `size` a batch. Each batch has a decoder of its own: what one decoder gives is valid until
 * it decodes again.
 */
export function decodeBatches(lines: readonly (Buffer | string)[], size: number): Decoded[] {
  const world = createWorld({ chains: CHAINS });
  const batches: Decoded[] = [];
  for (let from = 0; from < lines.length; from += size) {
    const records = lines
      .slice(from, from + size)
      .map((line, i) => ({ offset: from + i, time: 0, content: CONTENT.json, value: Buffer.from(line) }));
    batches.push(createDecoder(world)(packBatch("bench", 0, from, from + records.length, records)));
  }
  return batches;
}
