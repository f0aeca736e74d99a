/** What the client sends and commits is there, once, and as it was; what it cannot do it says. */
import { expect, test } from "vitest";
import { lagsOf } from "../engine/consumerLag.ts";
import { createAdmin } from "../engine/kafka/admin.ts";
import { canReadBatches } from "../engine/kafka/consumeBatch.ts";
import type { Message } from "../engine/kafka/message.ts";
import { createProducer } from "../engine/kafka/producer.ts";
import { looksLikeBlock } from "../engine/source/peekBlock.ts";
import { looksAt, offsetAt, recordsAt, valueAt } from "../engine/source/records.ts";
import { kindOf, take, texts, until, useKafkaClients } from "./support/kafkaClients.ts";
import { uniqueName } from "./support/sharedKafka.ts";

const { brokers, admin, topicOf, producerOf, consumerOf } = useKafkaClients();

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
  expect(await admin().watermarks(topic)).toEqual([{ partition: 0, low: 0, high: 1 }]);
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
  expect(await admin().committed(`group-of-${input}`, partitions)).toEqual(expected);
  expect(await lagsOf(consumer)).toEqual(new Map([[0, 0], [1, 1]])); // biome-ignore format: a map
});

// a ready binary of the client keeps them
test.skipIf(!canReadBatches())("offsets that were handed to a transaction leave nothing behind in memory", async () => {
  const topic = await topicOf(12);
  const consumer = await consumerOf(topic);
  await until(() => consumer.owned().length === 12, () => consumer.poll(10)); // biome-ignore format: one line
  const producer = await producerOf({ transactionalId: uniqueName("txn") });
  const offsets = consumer.owned().map((each) => ({ ...each, offset: 1, metadata: "m".repeat(4_000) }));
  const sendTimes = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) expect(await kindOf(producer.sendOffsets(offsets, consumer))).not.toBe("no error"); // none is open
  };
  await sendTimes(200);
  const before = process.memoryUsage.rss();
  await sendTimes(2_500); // 120 MB of metadata
  expect(process.memoryUsage.rss() - before).toBeLessThan(60e6);
});

// with a ready binary of the client the broker would keep it for as long as it may
test.skipIf(!canReadBatches())(
  "a reader of many records has one that comes by itself at once",
  { timeout: 30_000 },
  async () => {
    const topic = await topicOf(1);
    const consumer = await consumerOf(topic, { config: { "fetch.wait.max.ms": 60_000, "socket.timeout.ms": 90_000 } });
    await until(() => consumer.owned().length === 1, () => consumer.poll(10)); // biome-ignore format: one line
    const producer = await producerOf();
    for (const value of ["one", "another"]) {
      producer.produce(topic, 0, null, Buffer.from(value));
      await producer.flush();
      expect(texts(await take(consumer, 1))).toEqual([value]);
    }
  },
);

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
  // Written before it is aborted: what is still in the client then is dropped there
  const everything = await consumerOf(output, { groupId: uniqueName("all"), config: { "isolation.level": "read_uncommitted" } }); // biome-ignore format: one call
  expect(texts(await take(everything, 1))).toEqual(["aborted"]);
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
      high = (await admin().watermarks(output))[0]!.high;
    },
  );
  expect(await consumer.committed([{ topic: input, partition: 0 }])).toEqual([
    { topic: input, partition: 0, offset: null, metadata: "" },
  ]);
});

test("a producer whose transactional id was taken over is fenced", async () => {
  const topic = await topicOf(1);
  const transactionalId = uniqueName("tx");
  const zombie = await createProducer({ brokers: brokers(), transactionalId });
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
  const rest = await take(consumer, 50 - early.length);
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

test.skipIf(!canReadBatches())(
  "a table read in bulk has a partition's records together, says which look like a block's, and its buffer is used again",
  async () => {
    const [topic, other] = [await topicOf(3), await topicOf(1)];
    const producer = await producerOf();
    const values = [
      ...[null, Buffer.alloc(0), Buffer.of(1), Buffer.of(1, 0), Buffer.of(1, 1)],
      ...[
        'transactionCount"',
        'x"transactionCount":7',
        "transactionCount",
        'ansactionCount"',
        'CCtransactionCountCtransactionCount"',
        "C",
      ].map((text) => Buffer.from(text)),
      Buffer.from(`${"aC".repeat(50_000)}transactionCount"`),
    ];
    const rounds = 30; // some 3 MB: more than one read gives
    for (let i = 0; i < rounds * values.length; i++) {
      const type: Record<string, string> = i % 2 === 0 ? { "content-type": "application/json" } : {};
      producer.produce(i % 7 === 0 ? other : topic, i % 7 === 0 ? 0 : i % 3, null, values[i % values.length]!, type);
    }
    await producer.flush();
    const consumer = await consumerOf(topic, { topics: [topic, other] });
    const buffers = new Set<SharedArrayBuffer>();
    const next = new Map<string, number>();
    let [count, reads] = [0, 0];
    while (count < rounds * values.length) {
      const table = await consumer.pollTable(64);
      if (Array.isArray(table)) continue; // nothing yet
      for (const { topic, partition, at, count: its, looks } of table.parts) {
        const records = recordsAt(table.bytes, at, its, true);
        const list = Array.from({ length: its }, (_, i) => ({
          value: Buffer.from(valueAt(records, i)),
          looks: looksAt(records, i),
        }));
        expect(list.map(({ looks }) => looks)).toEqual(list.map(({ value }) => looksLikeBlock(value)));
        expect(looks).toBe(list.filter(({ looks }) => looks).length);
        const place = `${topic}/${partition}`;
        for (let i = 0; i < its; i++, next.set(place, (next.get(place) ?? 0) + 1))
          expect(offsetAt(records, i)).toBe(next.get(place) ?? 0);
        count += its;
      }
      if (table.parts.length > 0 && table.bytes.byteLength >= 1 << 20) {
        reads++;
        buffers.add(table.bytes);
      }
      table.release?.();
    }
    expect(next.size).toBe(4);
    expect(reads).toBeGreaterThan(1);
    expect(buffers.size).toBeLessThan(reads);
  },
);

test("an admin that is closed while it asks brokers in vain lets the event loop go on", async () => {
  const client = await createAdmin({ brokers: "127.0.0.1:1", timeoutMs: 1_000 });
  const asking = kindOf(client.listTopics());
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await client.close();
  expect(turned).toBe(true);
  expect(await asking).toBe("retry");
  expect(await kindOf(client.listTopics())).toBe("configuration");
});
