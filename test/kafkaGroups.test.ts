/** Members of a group come, go, sleep and come back: each partition is one's at a time, and goes on where it was. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Consumer } from "../engine/kafka/consumer.ts";
import type { KafkaError } from "../engine/kafka/errors.ts";
import type { Message } from "../engine/kafka/message.ts";
import { kindOf, take, texts, until, useKafkaClients } from "./support/kafkaClients.ts";

const { admin, topicOf, producerOf, consumerOf } = useKafkaClients();

test("resetCommits() sets what a group has committed, with metadata, and is refused while it has members", async () => {
  const topic = await topicOf(2);
  const groupId = `group-of-${topic}`;
  const at = (offset: number) => [0, 1].map((partition) => ({ topic, partition, offset, metadata: `at ${offset}` }));
  await admin().resetCommits(groupId, at(7));
  expect(await admin().committed(groupId, [{ topic, partition: 1 }])).toEqual([
    { topic, partition: 1, offset: 7, metadata: "at 7" },
  ]);
  await admin().resetCommits(groupId, at(3)); // backwards, too
  const consumer = await consumerOf(topic);
  await until(
    () => consumer.owned().length === 2,
    () => consumer.poll(100),
  );
  await expect(admin().resetCommits(groupId, at(5))).rejects.toThrow(/Cannot set the commits of the group/);
  expect(await admin().committed(groupId, [{ topic, partition: 0 }])).toMatchObject([{ offset: 3, metadata: "at 3" }]);
});

test("onAssign decides where each partition starts", async () => {
  const topic = await topicOf(2);
  const producer = await producerOf();
  for (let i = 0; i < 10; i++)
    for (const partition of [0, 1]) producer.produce(topic, partition, null, Buffer.from(String(i)));
  await producer.flush();
  const consumer = await consumerOf(topic, {
    onAssign: async (partitions) => {
      await sleep(50);
      return partitions.map(({ topic, partition }) => ({ topic, partition, offset: partition === 0 ? 7 : 9 }));
    },
  });
  const messages = await take(consumer, 4);
  expect(texts(messages.filter(({ partition }) => partition === 0))).toEqual(["7", "8", "9"]);
  expect(texts(messages.filter(({ partition }) => partition === 1))).toEqual(["9"]);
});

test("an onAssign that fails ends the consumer: it reads nothing from a wrong place", async () => {
  const topic = await topicOf(1);
  const errors: KafkaError[] = [];
  const consumer = await consumerOf(topic, {
    onAssign: () => Promise.reject(new Error("the ledger is unreadable")),
    onError: (error) => errors.push(error),
  });
  await expect(
    until(
      () => false,
      () => consumer.poll(10),
    ),
  ).rejects.toThrow("the ledger is unreadable");
  expect(errors.map(({ kind }) => kind)).toEqual(["fatal"]);
  expect(consumer.owned()).toEqual([]);
});

test("a slow revoke hands over at the commit: nothing is lost or read twice behind it", async () => {
  const topic = await topicOf(4);
  const producer = await producerOf();
  const total = 4_000;
  for (let i = 0; i < total; i++) producer.produce(topic, i % 4, null, Buffer.from(String(i)));
  await producer.flush();

  /** Reads on in the background; "done" is what it has read and committed. Drains for 500 ms before it gives up partitions. */
  function member() {
    const done: string[] = [];
    let pending: Message[] = [];
    const log: string[] = [];
    let consumer: Consumer;
    const commit = async () => {
      const batch = pending;
      pending = [];
      const next = new Map(batch.map(({ partition, offset }) => [partition, offset + 1]));
      await consumer.commit([...next].map(([partition, offset]) => ({ topic, partition, offset, metadata: "m" })));
      done.push(...texts(batch));
    };
    const start = async () => {
      consumer = await consumerOf(topic, {
        sessionMs: 60_000, // the machine may stand still
        onAssign: (partitions) => {
          log.push(`assign ${partitions.length}`);
          return [];
        },
        onRevoke: async (partitions) => {
          log.push(`revoke ${partitions.length}`);
          const held = pending.length;
          await sleep(500);
          expect(pending.length).toBe(held); // poll() gives nothing more of them (all four go, or the rest is paused)
          if (pending.length > 0) await commit();
          log.push(`revoked, owning ${consumer.owned().length}`);
        },
        onLost: () => log.push("lost"),
      });
      return consumer;
    };
    return {
      ...{ start, log, done, commit },
      poll: async (count: number) => {
        const messages = await consumer.poll(count);
        pending.push(...messages); // not in one line: commit() may have begun another list during the poll
      },
      owned: () => consumer.owned(),
      pause: () => consumer.pause(consumer.owned()),
      epochs: () => [0, 1, 2, 3].map((partition) => consumer.epoch({ topic, partition })),
      resume: () => consumer.resume(consumer.owned()),
    };
  }

  const [a, b] = [member(), member()];
  await a.start();
  await until(
    () => a.owned().length === 4,
    () => a.poll(100),
  );
  await a.poll(100);
  await a.commit();
  await a.poll(100);
  a.pause();
  const before = a.epochs();
  await a.poll(1_000);
  await b.start();
  await until(
    () => b.owned().length === 2 && a.owned().length === 2,
    () => Promise.all([a.poll(50), b.poll(1)]),
  );
  expect(a.log).toEqual(["assign 4", "revoke 4", "revoked, owning 4", "assign 2"]);
  expect(b.log).toEqual(["assign 2"]);
  const after = a.epochs();
  expect(after.filter((epoch) => epoch === null)).toHaveLength(2);
  // What it got back is a new possession: work from before must not be committed in it.
  for (const [partition, epoch] of after.entries()) expect(epoch).not.toBe(before[partition]);

  a.resume();
  let count = 0;
  await until(
    () => count >= total,
    async () => {
      await Promise.all([a.poll(500), b.poll(500)]);
      await Promise.all([a.commit(), b.commit()]);
      count = a.done.length + b.done.length;
    },
  );
  const numbers = [...a.done, ...b.done].map(Number).sort((x, y) => x - y);
  expect(numbers).toEqual(Array.from({ length: total }, (_, i) => i));
  expect(b.done.length).toBeGreaterThan(0);
});

test("a static member that comes back keeps its partitions without a rebalance of the others", async () => {
  const topic = await topicOf(2);
  const rebalances: string[] = [];
  const stay = await consumerOf(topic, {
    ...{ instanceId: "stay", sessionMs: 120_000 }, // however long the other takes to come back
    onAssign: (partitions) => {
      rebalances.push(`assign ${partitions.length}`);
      return [];
    },
    onRevoke: async (partitions) => {
      rebalances.push(`revoke ${partitions.length}`);
    },
  });
  const leaving = { instanceId: "leave", sessionMs: 120_000 };
  const leave = await consumerOf(topic, leaving);
  await until(
    () => stay.owned().length === 1 && leave.owned().length === 1,
    () => Promise.all([stay.poll(10), leave.poll(10)]),
  );
  const [mine] = leave.owned();
  const seen = rebalances.length;
  await leave.close();
  const back = await consumerOf(topic, leaving);
  await until(
    () => back.owned().length === 1,
    () => Promise.all([stay.poll(10), back.poll(10)]),
  );
  expect(back.owned()).toEqual([mine]);
  expect(rebalances.slice(seen)).toEqual([]);
});

test.each([
  { second: "another process", kind: "fenced" },
  { second: "nobody any more", kind: "fatal" }, // as after a standstill, by requests to join that it had given up
])("an instance id that is taken over ends its member, which says whether by $second", async ({ second, kind }) => {
  const topic = await topicOf(1);
  const lost: number[] = [];
  const first = await consumerOf(topic, {
    instanceId: "same",
    onLost: (partitions) => lost.push(partitions.length),
  });
  await until(
    () => first.owned().length === 1,
    () => first.poll(10),
  );
  const other = await consumerOf(topic, { instanceId: "same" });
  await until(
    () => other.owned().length === 1,
    () => other.poll(10),
  );
  const ended = kindOf(
    until(
      () => false,
      () => first.poll(10),
    ),
  );
  await until(() => lost.length > 0);
  if (second === "nobody any more") await other.close(); // a static member stays for a session
  expect(await ended).toBe(kind);
  expect(first.owned()).toEqual([]);
  expect(lost).toEqual([1]);
  expect(await kindOf(first.commit([{ topic, partition: 0, offset: 1, metadata: "" }]))).toBe("rebalance");
});

test("records that trickle in are handed out as they come, not once the stream falls silent", async () => {
  const topic = await topicOf(1);
  const producer = await producerOf({ config: { "linger.ms": 0 } });
  const consumer = await consumerOf(topic);
  await until(
    () => consumer.owned().length === 1,
    () => consumer.poll(10),
  );
  let trickling = true;
  const trickle = (async () => {
    for (let i = 0; trickling; i++) {
      producer.produce(topic, 0, null, Buffer.from(String(i)));
      await sleep(20); // under the 100 ms for which librdkafka would by default wait for each next record
    }
  })();
  // Waiting for the stream to fall silent, a poll would only end when it is full, of 32 records at least.
  const handedOut: number[] = [];
  const small = (): number => handedOut.filter((count) => count < 32).length; // one or two may be in any case: a busy machine pauses
  while (handedOut.length < 10 && small() < 5) {
    const { length } = await consumer.poll(500);
    if (length > 0) handedOut.push(length);
  }
  trickling = false;
  await trickle;
  expect(small(), `records handed out: ${handedOut}`).toBe(5);
});

test("a member that slept past its time loses its partitions: onLost, no commit, a new epoch when it is back", async () => {
  const topic = await topicOf(1);
  const lost: string[] = [];
  const times = { "session.timeout.ms": 1_000, "max.poll.interval.ms": 1_500 };
  const sleeper = await consumerOf(topic, {
    config: times,
    onRevoke: async () => void lost.push("revoked"),
    onLost: () => void lost.push("lost"),
  });
  await until(
    () => sleeper.owned().length === 1,
    () => sleeper.poll(10),
  );
  const at = { topic, partition: 0, offset: 5, metadata: "sleeper", epoch: sleeper.epoch({ topic, partition: 0 })! };
  const other = await consumerOf(topic);
  await until(
    () => other.owned().length === 1,
    () => other.poll(10), // the sleeper does not poll
  );
  await other.commit([{ ...at, metadata: "other", epoch: undefined }]);
  await until(
    () => lost.length > 0,
    () => Promise.all([sleeper.poll(10), other.poll(10)]),
  );
  expect(lost).not.toContain("revoked");
  expect(await kindOf(sleeper.commit([at]))).toBe("rebalance");

  await other.close();
  await until(
    () => sleeper.owned().length === 1,
    () => sleeper.poll(10),
  );
  expect(sleeper.epoch(at)).not.toBe(at.epoch);
  expect(await kindOf(sleeper.commit([at]))).toBe("rebalance");
  expect((await sleeper.committed([at]))[0]!.metadata).toBe("other");
});

test("pause() stops a partition and resume() goes on where it stopped", async () => {
  const topic = await topicOf(2);
  const producer = await producerOf();
  const consumer = await consumerOf(topic);
  await until(
    () => consumer.owned().length === 2,
    () => consumer.poll(10),
  );
  consumer.pause([{ topic, partition: 0 }]);
  for (let i = 0; i < 3; i++)
    for (const partition of [0, 1]) producer.produce(topic, partition, null, Buffer.from(`${partition}:${i}`));
  await producer.flush();
  expect(texts(await take(consumer, 3))).toEqual(["1:0", "1:1", "1:2"]);
  for (let polls = 0; polls < 5; polls++) expect(await consumer.poll(500)).toEqual([]);
  consumer.resume([{ topic, partition: 0 }]);
  expect(texts(await take(consumer, 3))).toEqual(["0:0", "0:1", "0:2"]);
});
