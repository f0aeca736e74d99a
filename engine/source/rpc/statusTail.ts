import { randomUUID } from "node:crypto";
import { createAdmin } from "../../kafka/admin.ts";
import { createConsumer } from "../../kafka/consumer.ts";
import type { BlockStatus } from "./blockStatus.ts";
import type { Coverage } from "./coverage.ts";
import type { BlockRef } from "./readBlock.ts";

/** Of each partition, so many records from its end: a reorganisation and the blocks around it, of several chains. */
const TAIL_RECORDS = 2_000;
/** The last offsets are commit markers, which no reader sees: the end is reached when nothing has come for so many polls of 0.1 s. */
const QUIET_POLLS = 5;

/** The last records of `block_status` that are about a chain, oldest first. */
export async function readStatusTail(brokers: string, topic: string, chainId: number): Promise<BlockStatus[]> {
  const admin = await createAdmin({ brokers });
  const marks = await admin.watermarks(topic).finally(() => admin.close());
  if (marks.every(({ low, high }) => low === high)) return [];
  const starts = new Map(marks.map(({ partition, low, high }) => [partition, Math.max(low, high - TAIL_RECORDS)]));
  const statuses: BlockStatus[] = [];
  let failure: Error | undefined;
  const consumer = await createConsumer({
    ...{ brokers, groupId: `weir-tail-${randomUUID()}`, topics: [topic] },
    onAssign: (partitions) => partitions.map((each) => ({ ...each, offset: starts.get(each.partition) ?? 0 })),
    onRevoke: async () => {},
    onLost: () => {},
    onError: (error) => {
      if (error.kind !== "retry") failure ??= error;
    },
  });
  try {
    for (let quiet = 0; quiet < QUIET_POLLS; ) {
      if (failure) throw failure;
      const messages = await consumer.poll(TAIL_RECORDS);
      for (const { key, value } of messages)
        if (key?.toString() === String(chainId) && value) statuses.push(JSON.parse(value.toString()) as BlockStatus);
      quiet = messages.length === 0 && consumer.owned().length === marks.length ? quiet + 1 : 0;
    }
  } finally {
    await consumer.close();
  }
  return statuses;
}

/**
 * Coverage brought up to what the topic has: killed between a block's commit and its position, a watcher has put a block of which coverage
 * knows nothing. Only what follows from the last known block counts: records before it, and of a backfill, do not.
 *
 * @param from first block of the range, for a coverage that is still empty
 * @returns the last blocks, as `known` of the chain
 */
export async function catchUp(
  coverage: Coverage,
  tail: readonly BlockStatus[],
  from: number | undefined,
): Promise<BlockRef[]> {
  const known = [...(await coverage.position())];
  for (const status of tail) {
    const { block_number: number, block_hash: hash } = status;
    const last = known.at(-1);
    if (status.status === "replaced") {
      if (last?.hash !== hash) continue;
      known.pop();
      await coverage.replaced(number, known);
    } else if (last ? status.parent_hash === last.hash : number === from) {
      known.push({ number, hash });
      await coverage.block({ number, proof: status.proof }, known, number);
    }
  }
  return known;
}
