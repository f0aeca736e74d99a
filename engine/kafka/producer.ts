import { setTimeout as sleep } from "node:timers/promises";
import type { Producer as NativeProducer } from "@confluentinc/kafka-javascript";
import { connectionSettings, loadBinding } from "./binding.ts";
import type { Consumer } from "./consumer.ts";
import { INSTANCE_TAKEN, KafkaError, kafkaError } from "./errors.ts";
import { checkOffsets, type OffsetToCommit } from "./offsets.ts";
import { promised } from "./promise.ts";

export type Headers = Record<string, string | Buffer>;

export type Producer = {
  /**
   * Queues one record; synchronous and copied at once. `partition` null: by the key's murmur2 hash as in Java's client,
   * at random without a key. Returns false when the queue is full: nothing was queued, `await room()` and call again.
   * Throws a `record` error for a record over 8 MiB.
   */
  produce(
    topic: string,
    partition: number | null,
    key: string | Buffer | null,
    value: Buffer | null,
    headers?: Headers,
  ): boolean;
  /** Waits until the queue has taken something out. */
  room(): Promise<void>;
  /** Records queued whose fate is not known yet. Only without transactions. */
  unacknowledged(): number;
  /**
   * Waits until the broker has acknowledged everything produced so far; throws the first failure since the last flush, or in the open transaction.
   * A transaction's `commit()` does that by itself.
   */
  flush(): Promise<void>;
  /** Opens a transaction. Produce only inside one. */
  begin(): Promise<void>;
  /** Adds the group's offsets to the transaction; refused when a partition is not `consumer`'s any more. */
  sendOffsets(offsets: readonly OffsetToCommit[], consumer: Consumer): Promise<void>;
  /** Waits for the records and commits. Kinds: `abort` (abort and repeat), `fenced` and `fatal` (close), `retry` (call it again). */
  commit(): Promise<void>;
  /** Drops the open transaction, queued records included. */
  abort(): Promise<void>;
  /** Waits for what is queued (outside transactions) and disconnects. An open transaction is aborted by the broker. */
  close(): Promise<void>;
};

export type ProducerOptions = {
  brokers: string;
  /** Makes every record part of a transaction; a second producer with the same id fences the first. */
  transactionalId?: string;
  /** How long a connect, flush or transactional call may take in ms; default 30,000. */
  timeoutMs?: number;
  /** Further librdkafka settings, over ours. */
  config?: Record<string, unknown>;
  /** Told how many records brokers have acknowledged, with each commit where there are transactions. */
  onSent?: (records: number) => void;
};

/** A record may be 4 MiB (design); JSON and packing add to it. */
const maxRecordBytes = 8 * 1024 * 1024;

const base = {
  ...connectionSettings,
  acks: -1,
  "enable.idempotence": true,
  "compression.codec": "lz4",
  partitioner: "murmur2_random",
  "message.max.bytes": maxRecordBytes,
  "queue.buffering.max.messages": 200_000,
  "queue.buffering.max.kbytes": 64 * 1024,
};

/** Throughput: a batch may wait 5 ms for company. */
const plain = { ...base, "linger.ms": 5, dr_cb: true };

/**
 * Latency: records go at once and retries of the coordinator's "not yet" come quickly: 11 ms a transaction instead of 102, and 5 with a client that
 * `npm run kafka:build` compiled.
 */
const transactional = {
  ...base,
  "linger.ms": 0,
  "retry.backoff.ms": 2,
  "transaction.timeout.ms": 60_000,
  "delivery.report.only.error": true,
  dr_cb: true,
};

/** Connects a producer: idempotent, acks all, LZ4. With a `transactionalId` it fences its predecessor before it returns. */
export async function createProducer(options: ProducerOptions): Promise<Producer> {
  const { brokers, transactionalId, timeoutMs = 30_000, onSent } = options;
  const own = transactionalId === undefined ? plain : { ...transactional, "transactional.id": transactionalId };
  const config = { "bootstrap.servers": brokers, ...own, ...options.config };
  const binding = loadBinding();
  const called = transactionalId === undefined ? "" : ` of "${transactionalId}"`;

  let native: NativeProducer;
  try {
    native = new binding.Producer(config as ConstructorParameters<typeof binding.Producer>[0]);
  } catch (error) {
    throw new KafkaError(`Cannot create a producer: ${(error as Error).message}`, "configuration", -186);
  }
  let queued = 0;
  /** What of `queued` was committed or dropped. */
  let settled = 0;
  let reported = 0;
  let failure: KafkaError | undefined;
  /** Why this producer is finished; librdkafka says "fatal" without the reason from the second call on. */
  let finished: KafkaError | undefined;
  native.on("delivery-report", (error, report) => {
    reported++;
    if (error) failure ??= kafkaError(`deliver a record to "${report.topic}"`, error);
    else if (transactionalId === undefined) onSent?.(1);
  });
  await promised(`connect to "${brokers}"`, (done) => native.connect({ timeout: timeoutMs }, done));
  // A thread of librdkafka's serves delivery reports: no timer, and they come while the event loop is busy elsewhere.
  native.setPollInBackground(true);

  async function call(action: string, run: (done: (error: unknown) => void) => void): Promise<void> {
    try {
      await promised<void>(`${action} the transaction${called}`, run);
    } catch (error) {
      if (["fenced", "fatal"].includes((error as KafkaError).kind)) finished ??= error as KafkaError;
      throw error;
    }
  }

  async function disconnect(): Promise<void> {
    await promised("disconnect", (done) => native.disconnect(timeoutMs, done));
  }

  if (transactionalId !== undefined) {
    try {
      await call("initialise", (done) => native.initTransactions(timeoutMs, done));
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  async function flush(): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    const target = queued;
    await promised("flush", (done) => native.flush(timeoutMs, done));
    while (transactionalId === undefined && reported < target) {
      // librdkafka has all acknowledgements here, but hands the reports to the event loop a little later
      if (Date.now() > deadline) {
        throw new KafkaError(`Cannot flush: ${target - reported} records unacknowledged, expected 0`, "retry", -185);
      }
      await sleep(1);
    }
    const failed = failure;
    failure = undefined;
    if (failed) throw failed;
  }

  return {
    produce(topic, partition, key, value, headers) {
      if (finished) throw finished;
      const list = headers && Object.entries(headers).map(([name, text]) => ({ [name]: text }));
      try {
        native.produce(topic, partition ?? -1, value, key, undefined, undefined, list);
      } catch (error) {
        const refused = kafkaError(`produce to "${topic}"`, error);
        if (refused.code === -184) return false;
        throw refused;
      }
      queued++;
      return true;
    },
    room: () => sleep(2),
    unacknowledged: () => queued - reported,
    flush,
    begin: () => call("begin", (done) => native.beginTransaction(done)),
    async sendOffsets(offsets, consumer) {
      checkOffsets(offsets);
      consumer.assertOwned(offsets);
      try {
        await call("add offsets to", (done) =>
          native.sendOffsetsToTransaction([...offsets], consumer.native, timeoutMs, done),
        );
      } catch (error) {
        const { code, message } = error as KafkaError;
        // Its membership has ended. Whether another process has it now, it finds out when it polls.
        if (code === INSTANCE_TAKEN) throw (finished = new KafkaError(message, "fatal", -150));
        throw error;
      }
    },
    async commit() {
      await call("commit", (done) => native.commitTransaction(timeoutMs, done));
      failure = undefined;
      onSent?.(queued - settled);
      settled = queued;
    },
    async abort() {
      await call("abort", (done) => native.abortTransaction(timeoutMs, done));
      failure = undefined; // the records purged by the abort report a failure each
      settled = queued;
    },
    async close() {
      try {
        if (transactionalId === undefined) await flush();
      } finally {
        await disconnect();
      }
    },
  };
}
