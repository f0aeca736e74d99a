import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { lagsOf } from "../engine/consumerLag.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { type Consumer, type ConsumerOptions, createConsumer } from "../engine/kafka/consumer.ts";
import type { KafkaError } from "../engine/kafka/errors.ts";
import type { Message } from "../engine/kafka/message.ts";
import { createProducer, type Producer, type ProducerOptions } from "../engine/kafka/producer.ts";
import { type Broker, startBroker } from "./support/kafkaBroker.ts";
import { uniqueName } from "./support/sharedKafka.ts";

let broker: Broker;
let admin: Admin;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  broker = await startBroker();
  admin = await createAdmin({ brokers: broker.brokers });
});
afterEach(async () => {
  for (const client of open.splice(0).reverse()) await client.close();
});
afterAll(async () => {
  await admin?.close();
  await broker?.close();
});

async function topicOf(partitions: number): Promise<string> {
  const topic = uniqueName("client");
  await admin.createTopics([{ topic, partitions }]);
  return topic;
}

async function producerOf(options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const producer = await createProducer({ brokers: broker.brokers, ...options });
  open.push(producer);
  return producer;
}

/** A consumer that starts at the group's commits and gives everything up at once, unless the test says otherwise. */
async function consumerOf(topic: string, options: Partial<ConsumerOptions> = {}): Promise<Consumer> {
  const consumer = await createConsumer({
    brokers: broker.brokers,
    groupId: `group-of-${topic}`,
    bulk: true, // as the engine reads
    topics: [topic],
    onAssign: () => [],
    onRevoke: async () => {},
    onLost: () => {},
    onError: () => {},
    ...options,
  });
  open.push(consumer);
  return consumer;
}

/** Polls until `count` records are there, or until nothing more can be expected. */
async function take(consumer: Consumer, count: number, deadlineMs = 60_000): Promise<Message[]> {
  const messages: Message[] = [];
  for (const end = Date.now() + deadlineMs; messages.length < count && Date.now() < end; ) {
    messages.push(...(await consumer.poll(500)));
  }
  return messages;
}

async function until(condition: () => boolean, meanwhile: () => Promise<unknown> = () => sleep(10)): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`Cannot go on: still not ${condition}, expected it within 60 s`);
    await meanwhile();
  }
}

const texts = (messages: Message[]) => messages.map(({ value }) => value!.toString());
const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: KafkaError) => error.kind,
  );

test("a record comes back as it was sent: JSON, headers, key, a null value, 5 MB", async () => {
  const topic = await topicOf(1);
  const producer = await producerOf();
  const large = Buffer.alloc(5_000_000, "weir ");
  const json = Buffer.from(
    JSON.stringify({ hash: "0xab", value: "115792089237316195423570985008687907853269984665640564039457" }),
  );
  producer.produce(topic, 0, "1", json, { "content-type": "application/json", seq: Buffer.from([0, 255]) });
  producer.produce(topic, 0, null, large);
  producer.produce(topic, 0, Buffer.from([0, 1]), null);
  await producer.flush();
  expect(producer.unacknowledged()).toBe(0);

  const [first, second, third] = await take(await consumerOf(topic, { bulk: false }), 3);
  expect(first!.value).toEqual(json);
  expect(first!.key!.toString()).toBe("1");
  expect(first!.headers!.map((header) => Object.entries(header)[0])).toEqual([
    ["content-type", Buffer.from("application/json")],
    ["seq", Buffer.from([0, 255])],
  ]);
  expect(second!.value!.equals(large)).toBe(true);
  expect([third!.value, third!.key, third!.offset]).toEqual([null, Buffer.from([0, 1]), 2]);
});

test("a record over 8 MiB is refused with its own kind of error, and the producer goes on", async () => {
  const topic = await topicOf(1);
  const producer = await producerOf();
  expect(() => producer.produce(topic, 0, null, Buffer.alloc(9_000_000))).toThrow(
    expect.objectContaining({ kind: "record", code: 10 }),
  );
  producer.produce(topic, 0, null, Buffer.from("after"));
  await producer.flush();
  expect(await admin.watermarks(topic)).toEqual([{ partition: 0, low: 0, high: 1 }]);
});

test("keys go to the partition that Java's client chooses (murmur2)", async () => {
  const topic = await topicOf(12);
  const producer = await producerOf();
  // printed by org.apache.kafka.common.utils.Utils: toPositive(murmur2(key)) % 12
  const sender = "1:0x28c6c06298d514db089934071355e5743bf21d60";
  const expected: Record<string, number> = { 1: 3, 10: 10, 137: 6, 42161: 0, 8453: 4, [sender]: 4 };
  for (const key of Object.keys(expected)) producer.produce(topic, null, key, Buffer.from(key));
  await producer.flush();
  const messages = await take(await consumerOf(topic, { bulk: false }), Object.keys(expected).length);
  expect(Object.fromEntries(messages.map(({ key, partition }) => [key!.toString(), partition]))).toEqual(expected);
});

test("flush() throws when a record was not delivered, once", async () => {
  const producer = await producerOf({ config: { "message.timeout.ms": 1_000, "enable.idempotence": false } });
  producer.produce(uniqueName("no-such-topic"), 0, null, Buffer.from("x"));
  expect(await kindOf(producer.flush())).not.toBe("no error");
  await producer.flush();
});

test("produce() says when the queue is full, and nothing that it took is lost", async () => {
  const topic = await topicOf(1);
  const producer = await producerOf({ config: { "queue.buffering.max.messages": 1_000 } });
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    while (!producer.produce(topic, 0, null, Buffer.from(String(i)))) {
      refused++;
      await producer.room();
    }
  }
  await producer.flush();
  expect(producer.unacknowledged()).toBe(0);
  expect(refused).toBeGreaterThan(0);
  const messages = await take(await consumerOf(topic), 20_000);
  expect(texts(messages)).toEqual(Array.from({ length: 20_000 }, (_, i) => String(i)));
});

test("a transaction publishes its records and the group's offsets with metadata together", async () => {
  const [input, output] = [await topicOf(2), await topicOf(1)];
  const source = await producerOf();
  for (const partition of [0, 1]) source.produce(input, partition, null, Buffer.from("in"));
  await source.flush();
  const consumer = await consumerOf(input);
  await take(consumer, 2);
  const reader = await consumerOf(output);

  const producer = await producerOf({ transactionalId: uniqueName("tx") });
  await producer.begin();
  producer.produce(output, 0, null, Buffer.from("out"));
  await producer.sendOffsets([{ topic: input, partition: 0, offset: 1, metadata: "stored=0;cut=1" }], consumer);
  expect((await reader.poll(10)).length).toBe(0);
  await producer.commit();

  expect(texts(await take(reader, 1))).toEqual(["out"]);
  const partitions = [0, 1].map((partition) => ({ topic: input, partition }));
  const expected = [
    { topic: input, partition: 0, offset: 1, metadata: "stored=0;cut=1" },
    { topic: input, partition: 1, offset: null, metadata: "" },
  ];
  expect(await consumer.committed(partitions)).toEqual(expected);
  expect(await admin.committed(`group-of-${input}`, partitions)).toEqual(expected);
  expect(await lagsOf(consumer)).toEqual(new Map([[0, 0], [1, 1]])); // biome-ignore format: a map
});

test("an aborted transaction is never seen, and its offsets do not count", async () => {
  const [input, output] = [await topicOf(1), await topicOf(1)];
  const consumer = await consumerOf(input);
  await until(
    () => consumer.owned().length === 1,
    () => consumer.poll(10),
  );
  const sent: number[] = [];
  const producer = await producerOf({ transactionalId: uniqueName("tx"), onSent: (records) => sent.push(records) });
  await producer.begin();
  producer.produce(output, 0, null, Buffer.from("aborted"));
  await producer.sendOffsets([{ topic: input, partition: 0, offset: 5, metadata: "aborted" }], consumer);
  await producer.abort();
  await producer.begin();
  producer.produce(output, 0, null, Buffer.from("kept"));
  await producer.commit();

  expect(sent).toEqual([1]);
  expect(texts(await take(await consumerOf(output), 1))).toEqual(["kept"]);
  // both records and both markers are there: the first was written and is hidden. The broker counts the last marker after it shows the record
  let high = 0;
  await until(
    () => high === 4,
    async () => {
      high = (await admin.watermarks(output))[0]!.high;
    },
  );
  expect(await consumer.committed([{ topic: input, partition: 0 }])).toEqual([
    { topic: input, partition: 0, offset: null, metadata: "" },
  ]);
});

test("a producer whose transactional id was taken over is fenced", async () => {
  const topic = await topicOf(1);
  const transactionalId = uniqueName("tx");
  const zombie = await createProducer({ brokers: broker.brokers, transactionalId });
  await zombie.begin();
  zombie.produce(topic, 0, null, Buffer.from("zombie"));
  const successor = await producerOf({ transactionalId });
  await successor.begin();
  successor.produce(topic, 0, null, Buffer.from("successor"));
  await successor.commit();

  expect(await kindOf(zombie.commit())).toBe("fenced");
  expect(() => zombie.produce(topic, 0, null, Buffer.from("again"))).toThrow(
    expect.objectContaining({ kind: "fenced" }),
  );
  expect(await kindOf(zombie.begin())).toBe("fenced");
  await zombie.close();
  expect(texts(await take(await consumerOf(topic), 1))).toEqual(["successor"]);
});

test("commit() is acknowledged with metadata, whether or not somebody polls, and reading goes on from it", async () => {
  const topic = await topicOf(1);
  const producer = await producerOf();
  for (let i = 0; i < 50; i++) producer.produce(topic, 0, null, Buffer.from(String(i)));
  await producer.flush();
  const consumer = await consumerOf(topic);
  const early: Message[] = [];
  while (early.length === 0) early.push(...(await consumer.poll(1)));
  await consumer.commit([{ topic, partition: 0, offset: 10, metadata: "x".repeat(4_095) }]);
  await Promise.all([
    consumer.commit([{ topic, partition: 0, offset: 11, metadata: "first" }]),
    consumer.commit([{ topic, partition: 0, offset: 11, metadata: "second" }]),
  ]);
  expect(await consumer.committed([{ topic, partition: 0 }])).toEqual([
    { topic, partition: 0, offset: 11, metadata: "second" },
  ]);
  // what was read while the commits waited is not lost
  const rest = await take(consumer, 50 - early.length, 10_000);
  expect(texts([...early, ...rest])).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  await consumer.close();

  const next = await consumerOf(topic);
  expect(texts(await take(next, 39))[0]).toBe("11");
});

test("commit() refuses metadata that is too long, and partitions and epochs that are not ours", async () => {
  const topic = await topicOf(1);
  const consumer = await consumerOf(topic);
  await until(
    () => consumer.owned().length === 1,
    () => consumer.poll(10),
  );
  const epoch = consumer.epoch({ topic, partition: 0 })!;
  const at = { topic, partition: 0, offset: 1, metadata: "" };
  await expect(consumer.commit([{ ...at, metadata: "x".repeat(4_096) }])).rejects.toThrow(
    "metadata has 4096 characters",
  );
  expect(await kindOf(consumer.commit([{ ...at, partition: 1 }]))).toBe("rebalance");
  expect(await kindOf(consumer.commit([{ ...at, epoch: epoch + 1 }]))).toBe("rebalance");
  expect(await kindOf(consumer.commit([{ ...at, epoch }]))).toBe("no error");
});

test("resetCommits() sets what a group has committed, with metadata, and is refused while it has members", async () => {
  const topic = await topicOf(2);
  const groupId = `group-of-${topic}`;
  const at = (offset: number) => [0, 1].map((partition) => ({ topic, partition, offset, metadata: `at ${offset}` }));
  await admin.resetCommits(groupId, at(7));
  expect(await admin.committed(groupId, [{ topic, partition: 1 }])).toEqual([
    { topic, partition: 1, offset: 7, metadata: "at 7" },
  ]);
  await admin.resetCommits(groupId, at(3)); // backwards, too
  const consumer = await consumerOf(topic);
  await until(
    () => consumer.owned().length === 2,
    () => consumer.poll(100),
  );
  await expect(admin.resetCommits(groupId, at(5))).rejects.toThrow(/Cannot set the commits of the group/);
  expect(await admin.committed(groupId, [{ topic, partition: 0 }])).toMatchObject([{ offset: 3, metadata: "at 3" }]);
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
    instanceId: "stay",
    onAssign: (partitions) => {
      rebalances.push(`assign ${partitions.length}`);
      return [];
    },
    onRevoke: async (partitions) => {
      rebalances.push(`revoke ${partitions.length}`);
    },
  });
  const leave = await consumerOf(topic, { instanceId: "leave" });
  await until(
    () => stay.owned().length === 1 && leave.owned().length === 1,
    () => Promise.all([stay.poll(10), leave.poll(10)]),
  );
  const [mine] = leave.owned();
  const seen = rebalances.length;
  await leave.close();
  const back = await consumerOf(topic, { instanceId: "leave" });
  await until(
    () => back.owned().length === 1,
    () => Promise.all([stay.poll(10), back.poll(10)]),
  );
  expect(back.owned()).toEqual([mine]);
  expect(rebalances.slice(seen)).toEqual([]);
});

test("a second process with the same instance id takes over, and the first is fenced", async () => {
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
  const second = await consumerOf(topic, { instanceId: "same" });
  await until(
    () => second.owned().length === 1,
    () => second.poll(10),
  );
  const kind = await kindOf(
    until(
      () => false,
      () => first.poll(10),
    ),
  );
  expect(kind).toBe("fenced");
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
  expect(lost).toEqual(["lost"]);
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
  expect(texts(await take(consumer, 6, 1_500))).toEqual(["1:0", "1:1", "1:2"]);
  consumer.resume([{ topic, partition: 0 }]);
  expect(texts(await take(consumer, 3))).toEqual(["0:0", "0:1", "0:2"]);
});

test("clients outlive a broker that is away for some seconds, without loss or repetition", async (context) => {
  if (broker.dataDir === null) context.skip("KAFKA_BROKERS is set: this test must stop its broker");
  const topic = await topicOf(1);
  const producer = await producerOf({ timeoutMs: 60_000 });
  const errors: string[] = [];
  let since: string[] = []; // read since the last assignment: an outage longer than the session means a new one
  const consumer = await consumerOf(topic, {
    timeoutMs: 60_000,
    onAssign: () => {
      since = [];
      return [];
    },
    onError: ({ kind }) => errors.push(kind),
  });
  const poll = async () => {
    const messages = await consumer.poll(500);
    since.push(...texts(messages)); // not in one line: `since` may be another list after the poll
  };
  producer.produce(topic, 0, null, Buffer.from("0"));
  await until(() => since.length === 1, poll);
  await consumer.commit([{ topic, partition: 0, offset: 1, metadata: "before" }]);

  await broker.stop();
  for (let i = 1; i <= 100; i++) producer.produce(topic, 0, null, Buffer.from(String(i)));
  const committing = consumer.commit([{ topic, partition: 0, offset: 1, metadata: "during" }]);
  const outcome = kindOf(committing);
  const polling = until(() => since.at(-1) === "100", poll);
  await sleep(3_000);
  expect(errors).toContain("retry"); // it said that the broker is away
  await broker.restart();
  await producer.flush();
  await polling;
  expect(since.filter((text) => text !== "0")).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 1)));
  expect(["no error", "retry", "rebalance"]).toContain(await outcome);
  await consumer.commit([{ topic, partition: 0, offset: 101, metadata: "after" }]);
  expect(await consumer.committed([{ topic, partition: 0 }])).toEqual([
    { topic, partition: 0, offset: 101, metadata: "after" },
  ]);
});

test("addresses where nobody listens are an error with the address in it", async () => {
  await expect(createProducer({ brokers: "127.0.0.1:1", timeoutMs: 500 })).rejects.toThrow('"127.0.0.1:1"');
});

test("records read in bulk are those read one by one, but for keys and other headers", async () => {
  const topics = [await topicOf(2), await topicOf(1)];
  const producer = await producerOf();
  const values = [Buffer.from("a"), null, Buffer.alloc(0), Buffer.alloc(300_000, 7), Buffer.from("last")];
  for (const topic of topics)
    for (const [i, value] of values.entries()) {
      const headers: Record<string, string> = i % 2 === 0 ? { other: "x", "content-type": `type/${i}` } : {};
      producer.produce(topic, topic === topics[0] ? i % 2 : 0, Buffer.from("key"), value, headers);
    }
  await producer.flush();

  const read = async (bulk: boolean) => {
    const options = { topics, bulk, groupId: uniqueName("bulk") };
    const messages = await take(await consumerOf(topics[0]!, options), 2 * values.length);
    return messages
      .map(({ topic, partition, offset, timestamp, value, headers }) => ({
        place: `${topics.indexOf(topic)} ${partition} ${offset}`,
        timestamp,
        value: value?.length ? value.toString("latin1") : null,
        type: headers?.find((header) => "content-type" in header)?.["content-type"]?.toString(),
      }))
      .sort((a, b) => a.place.localeCompare(b.place));
  };
  const [bulk, single] = [await read(true), await read(false)];
  expect(bulk).toEqual(single);
  expect(bulk.filter(({ type }) => type === "type/4")).toHaveLength(2);
});
