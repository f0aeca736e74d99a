/** Who waits for alerts beside the WebSocket: a reader of committed records, and a query. */
import { setTimeout as sleep } from "node:timers/promises";
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { openTail } from "../../../engine/kafka/tail.ts";
import type { ApiScene } from "./scene.ts";

/** Where an alert's transaction stood on its topic. */
export interface At {
  readonly partition: number;
  readonly offset: number;
}

type Came = (id: string, at: At) => void;

/** How often it is looked which rows there are: what a time may be too long by. */
const LOOK_MS = 25;

export async function readTopic({ brokers, topics }: ApiScene, came: Came, signal: AbortSignal): Promise<void> {
  const admin = await createAdmin({ brokers });
  const marks = await admin.watermarks(topics.alerts);
  await admin.close();
  const from = marks.map(({ partition }) => ({ topic: topics.alerts, partition, offset: 0 }));
  const tail = await openTail({ brokers, from, onError: (error) => process.stderr.write(`${error.message}\n`) });
  while (!signal.aborted) {
    for (const { value } of await tail.poll(1_000)) {
      const { id, source } = JSON.parse(String(value)) as { id: string; source: At };
      came(id, source);
    }
  }
  await tail.close();
}

/** Rows of a partition become visible in the order of their offsets, so the last that is there says which are new. */
export async function watchRows(
  { store }: ApiScene,
  came: Came,
  firsts: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const known = firsts.map((offset) => offset - 1);
  while (!signal.aborted) {
    const rows = await store.rows<{ id: string; partition: number; offset: string }>(
      `SELECT lower(hex(alert_id)) AS id, partition, offset FROM alerts WHERE offset > {known:Array(Int64)}[partition + 1] ORDER BY offset`,
      { known },
    );
    for (const { id, partition, offset } of rows) {
      known[partition] = Math.max(known[partition]!, Number(offset));
      came(id, { partition, offset: Number(offset) });
    }
    await sleep(LOOK_MS);
  }
}
