import { expect, test } from "vitest";
import { createPublishedTap } from "../../engine/dispatch/publishedTap.ts";
import type { Outcome } from "../../engine/worker/outcome.ts";
import { packRecords } from "../../engine/worker/topicRecords.ts";
import { followEarlyAlerts } from "./earlyAlerts.ts";
import { createHub } from "./hub.ts";
import { createTopicEvents } from "./topicEvents.ts";

const record = {
  ...{ id: "a".repeat(32), rule: "whale", version: 1, severity: "high", ordinal: 0, message: "12 ETH" },
  ...{ chain_id: 1, block_number: null, block_hash: null, tx_hash: `0x${"5".repeat(64)}` },
  ...{ from_address: `0x${"1".repeat(40)}`, to_address: null, event_time: "2026-01-01T00:00:00.000Z" },
  source: { topic: "tx_raw", partition: 3, offset: 7, n: 0 },
};
const outcome = {
  records: packRecords(
    (["alerts", "mev_bundles"] as const).map((topic) => ({
      ...{ topic, key: "1", headers: { "content-type": "application/json" } },
      value: Buffer.from(JSON.stringify(record)),
    })),
  ),
} as Outcome;

test("what is raised is told at once to who listens, marked, without a place; and nothing is made for nobody", async () => {
  const tap = createPublishedTap();
  const hub = createHub();
  const errors: Error[] = [];
  let made = 0;
  const topicEvents = createTopicEvents({
    async read(messages) {
      made += messages.length;
      return messages.map(({ message }) => message);
    },
    ...{ now: () => 0, mined: "provisional", onRefused: (_, error) => errors.push(error) },
  });
  const stop = followEarlyAlerts(hub, { tap, topicEvents, now: () => 0, onError: (error) => errors.push(error) });
  tap.worked(outcome);
  expect(made).toBe(0);

  let wake = (): void => {};
  const awake = () => new Promise<void>((resolve) => (wake = resolve));
  const reader = hub.reader(() => wake());
  reader.subscribe("early_alerts", () => true);
  const woken = awake();
  tap.worked(outcome);
  await woken;
  const event = reader.next()!;
  expect(event).toMatchObject({ type: "alert", place: undefined });
  expect(event.data).toMatchObject({ id: record.id, early: true, status: "pending", partition: 3, offset: "7" });
  expect(JSON.parse(event.message.toString())).toMatchObject({ type: "alert", data: { early: true } });
  expect(reader.next()).toBeUndefined();
  stop();
  tap.worked(outcome);
  expect([made, errors]).toEqual([1, []]);
});
