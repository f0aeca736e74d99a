import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaConsumer as NativeConsumer, Message as NativeMessage } from "@confluentinc/kafka-javascript";
import { createAdmin } from "./admin.ts";
import { connectionSettings, loadBinding } from "./binding.ts";
import { createCommits } from "./commits.ts";
import { batchReader, messagesOf, type RecordTable } from "./consumeBatch.ts";
import { INSTANCE_TAKEN, KafkaError, kafkaError } from "./errors.ts";
import type { Message } from "./message.ts";
import { type CommittedOffset, checkOffsets, type OffsetToCommit, type TopicPartition } from "./offsets.ts";
import { createOwnership } from "./ownership.ts";
import { promised } from "./promise.ts";

/** Where reading starts; without an offset at the group's commit, else at the earliest record. */
export type StartAt = TopicPartition & { offset?: number };

export type ConsumerOptions = {
  brokers: string;
  groupId: string;
  /** Static membership: a process that comes back under this id within the session keeps its partitions. */
  instanceId?: string;
  topics: string[];
  /**
   * Partitions that are ours from now on; answers where each starts (the engine reads that from its ledger).
   * Nothing of them is read before the promise settles. Partitions left out of the answer start at the commit.
   */
  onAssign(partitions: TopicPartition[]): StartAt[] | Promise<StartAt[]>;
  /**
   * Partitions that must go. `poll()` gives no more of them; finish or drop their work and commit.
   * The group waits: they are handed over once the promise settles (also when it rejects), at most 5 minutes.
   */
  onRevoke(partitions: TopicPartition[]): Promise<void>;
  /** Partitions that are another's already: drop their work, commit nothing. */
  onLost(partitions: TopicPartition[]): void;
  /** What has no caller to be thrown at: brokers away (`retry`), a failed callback, the end of this consumer (poll() throws that too). */
  onError(error: KafkaError): void;
  /** For many records: they come without keys, and without headers but `content-type`, at a tenth of the cost where the client can. */
  bulk?: boolean;
  /** Session in ms: how long a dead member keeps its partitions; default 10,000. */
  sessionMs?: number;
  /** How long a connect, `committed()` or `commit()` may take in ms; default 30,000. */
  timeoutMs?: number;
  /** Further librdkafka settings, over ours. */
  config?: Record<string, unknown>;
};

export type Consumer = {
  /**
   * The next records, at most `maxRecords`; [] after 100 ms without any. One call at a time. Call it without pause, also when
   * there is no room for records (then `pause()` first): rebalances and acknowledgements arrive through it.
   * Throws `fenced` or `fatal` when this consumer is finished.
   */
  poll(maxRecords: number): Promise<Message[]>;
  /** The same without an object a record, where `bulk` was asked for, the client can, and nothing was read ahead. */
  pollTable(maxRecords: number): Promise<RecordTable | Message[]>;
  /** What the group has committed for these partitions, with metadata; transactions settled. */
  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>;
  /** Commits and waits for the broker's acknowledgement. Refused (`rebalance`) for partitions that are not ours. */
  commit(offsets: readonly OffsetToCommit[]): Promise<void>;
  /** The partitions that are ours, those under revocation included. */
  owned(): TopicPartition[];
  /** The ownership epoch of a partition: new whenever it is assigned to us, null while it is not ours. */
  epoch(partition: TopicPartition): number | null;
  /** Throws `rebalance` unless every partition is ours (and in the epoch given, if one is). */
  assertOwned(offsets: readonly (TopicPartition & { epoch?: number })[]): void;
  /** Stops fetching these partitions; what is fetched already may still come. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Runs `onRevoke` for all that is ours, then leaves the group (a static member stays in it until its session ends). */
  close(): Promise<void>;
  /** The binding's consumer, for sendOffsetsToTransaction. */
  readonly native: NativeConsumer;
};

/** Waiting time of a poll that finds nothing. Shorter costs idle CPU, longer delays nothing but close(). */
const pollMs = 100;
/** A batch takes no longer to fill than this, when records trickle in: see createBatchLimit. */
const fillMs = 20;

/** librdkafka's code for a client that is finished. */
const FATAL = -150;

/** How often it is looked, within one and a half sessions, whether a member that has our instance id is still there. */
const TAKEN_LOOKS = 15;

const settings = {
  ...connectionSettings,
  // Eager: each rebalance gives every partition a place. With a cooperative strategy a partition moves in two steps, and a
  // static member that is killed between them comes back with the assignment of the first: the partition it was to release
  // is then nobody's until the next rebalance, which may never come (seen in the crash test).
  "partition.assignment.strategy": "range",
  "enable.auto.commit": false,
  "enable.auto.offset.store": false,
  "isolation.level": "read_committed",
  // The queue overshoots by a fetch round: 8 MB with fetches of 3 MB holds 8 to 11 MB. A larger record comes alone all the same. With 4 and 1 MB
  // ten fills of the peers' job, in turn, were counted at 511,000 to 803,000 records/s, with these at 534,000 to 868,000: no more than the noise.
  "queued.max.messages.kbytes": 8_192,
  "queued.min.messages": 100_000,
  "fetch.message.max.bytes": 256 * 1024,
  "fetch.max.bytes": 3 * 1024 * 1024,
  "fetch.queue.backoff.ms": 5, // the default 1000 stalls a reader that is faster than the queue is long
  "fetch.wait.max.ms": 100,
};

/**
 * Of a reader of many records: answers of 64 KiB, or what came within 10 ms. As soon as there is a record, 1,000 a second were some 270 reads of four.
 *
 * A client that `npm run kafka:build` compiled gathers without the broker: it takes what is there, be it one record, and where that is less than
 * 64 KiB it asks again 3 ms later. What comes into silence is here at once, silence costs nothing, and at 10,000 a second provisional alerts' p50 is 9 ms, not 14.
 */
const gathering = { "fetch.min.bytes": 64 * 1024, "fetch.wait.max.ms": 10, "fetch.queue.backoff.ms": 3 };

/**
 * The client's own way to read. It fills a batch for as long as the next record comes within 1 ms, so a steady 5,000 records/s would wait
 * 100 ms for 500. So the batch asked for is half as large when the last took longer than `fillMs`, and twice when it was full sooner.
 */
export function oneByOne(native: NativeConsumer, groupId: string) {
  let limit = 64;
  return async (maxRecords: number): Promise<NativeMessage[]> => {
    const started = performance.now();
    const action = `poll the group "${groupId}"`;
    const messages = await promised<NativeMessage[]>(action, (done) =>
      native.consume(Math.min(limit, maxRecords), done),
    );
    if (performance.now() - started > fillMs && messages.length > 32) limit = Math.max(32, messages.length >> 1);
    else if (messages.length >= limit) limit *= 2;
    return messages;
  };
}

/** Joins a consumer group (classic protocol, eager) and returns once connected; assignment follows with poll(). */
export async function createConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { brokers, groupId, instanceId, topics, sessionMs = 10_000, timeoutMs = 30_000 } = options;
  const binding = loadBinding();
  const ownership = createOwnership();
  const commits = createCommits(timeoutMs);

  let fatal: KafkaError | undefined;
  let closing = false;
  let consuming: Promise<RecordTable | NativeMessage[]> | undefined;
  /** The consume call under way when partitions went: it may still hold their records when it returns. */
  let staleConsume: Promise<unknown> | undefined;
  /** Read by the pump while the caller was not polling; served first. */
  let ahead: NativeMessage[] = [];
  let rebalancing: Promise<void> = Promise.resolve();

  const lose = (partitions: readonly TopicPartition[]) => {
    const ours = ownership.drop(partitions);
    if (ours.length > 0) tell(() => options.onLost(ours));
  };
  const finish = (error: KafkaError) => {
    fatal ??= error;
    commits.rejectAll(error);
    lose(ownership.owned());
    options.onError(error);
  };

  const config = {
    ...{ "bootstrap.servers": brokers, "group.id": groupId, "session.timeout.ms": sessionMs },
    ...{ "heartbeat.interval.ms": Math.min(3_000, Math.floor(sessionMs / 5)) },
    ...(instanceId === undefined ? {} : { "group.instance.id": instanceId }),
    ...settings,
    ...(options.bulk ? gathering : {}),
    ...options.config,
    rebalance_cb: (event: { code: number; message: string }, partitions: TopicPartition[]) =>
      onRebalance(event, partitions),
    offset_commit_cb: (error: unknown, offsets: OffsetToCommit[]) => commits.acknowledge(error, offsets),
  };
  let native: NativeConsumer & { setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void } & Unnamed;
  try {
    native = new binding.KafkaConsumer(config as never, { "auto.offset.reset": "earliest" }) as typeof native;
  } catch (error) {
    throw new KafkaError(`Cannot create a consumer: ${(error as Error).message}`, "configuration", -186);
  }
  native.setDefaultConsumeTimeout(pollMs);
  native.setDefaultIsTimeoutOnlyForFirstMessage(true); // else every record waits the whole time
  // The event carries librdkafka's text without its code. A fatal error also fails the next poll, with its code.
  native.on("event.error", ({ message }) => {
    options.onError(new KafkaError(`Cannot reach the brokers "${brokers}" of "${groupId}": ${message}`, "retry", -195));
  });
  await promised(`connect to "${brokers}"`, (done) => native.connect({ timeout: timeoutMs }, done));
  const read = (options.bulk && batchReader(native, groupId)) || oneByOne(native, groupId);

  /** Runs in the event loop while librdkafka waits for our assign or unassign; events are worked off one after the other. */
  function onRebalance(event: { code: number; message: string }, partitions: TopicPartition[]): void {
    const assigned = event.code === binding.CODES.ERRORS.ERR__ASSIGN_PARTITIONS;
    const lost = !assigned && !closing && native.assignmentLost(); // the handle may be gone while it closes
    if (lost) lose(partitions); // not in turn: whoever drains these partitions at this moment must hear of it now
    rebalancing = rebalancing.then(() => (assigned ? assign(partitions) : unassign(partitions)));
  }

  function tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      options.onError(kafkaError("run a rebalance callback", error));
    }
  }

  async function assign(partitions: TopicPartition[]): Promise<void> {
    await staleConsume?.catch(() => {}); // its caller has heard of the failure. Else an old record of a partition that comes back could pass for a new one
    let starts: StartAt[] = [];
    try {
      // more members than partitions: some get an empty list
      if (partitions.length > 0 && !closing) starts = await options.onAssign(partitions);
    } catch (error) {
      // Reading on from a wrong place would lose or double records: this member is finished.
      finish(new KafkaError(`Cannot take over partitions: ${(error as Error).message}`, "fatal", FATAL));
    }
    const offsets = new Map(starts.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    const positions = partitions.map(({ topic, partition }) => {
      const offset = offsets.get(`${topic}/${partition}`);
      return offset === undefined ? { topic, partition } : { topic, partition, offset };
    });
    attempt("assign partitions", () => {
      native.assign(positions);
      // A pause outlives the assignment in librdkafka: what was lost while paused must not come back standing still.
      if (partitions.length > 0) native.resume(partitions);
    });
    if (!fatal) ownership.take(partitions);
  }

  async function unassign(partitions: TopicPartition[]): Promise<void> {
    const ours = ownership.revoking(partitions);
    ahead = ahead.filter((message) => ownership.reads(message));
    if (ours.length > 0) {
      try {
        await options.onRevoke(ours);
      } catch (error) {
        options.onError(kafkaError("drain revoked partitions", error));
      }
    }
    ownership.drop(partitions);
    staleConsume = consuming;
    attempt("give up partitions", () => native.unassign());
  }

  function attempt(action: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (native.isConnected() && !closing) finish(kafkaError(action, error));
    }
  }

  /**
   * "Fatal" hides its cause, but the only one that a member of a classic group has is that its instance id was taken over. Not always by another
   * process: a broker or a process that stood still for longer than a session leaves requests to join behind, which the broker answers in whatever
   * order, and the last one in takes the others' place. Such a member is never heard of again, and gone after a session.
   */
  async function explain(error: KafkaError): Promise<KafkaError> {
    if (error.code !== FATAL || instanceId === undefined) return error;
    lose(ownership.owned()); // before anything is awaited
    const stay = `Cannot stay in the group "${groupId}"`;
    const admin = await createAdmin({ brokers, timeoutMs });
    try {
      for (let looks = 0; looks < TAKEN_LOOKS; looks++) {
        if (looks > 0) await sleep((1.5 * sessionMs) / TAKEN_LOOKS);
        if (!(await admin.hasInstance(groupId, instanceId)))
          return new KafkaError(`${stay}: its session as instance "${instanceId}" has ended`, "fatal", FATAL);
      }
    } catch (failed) {
      return kafkaError(`see who is instance "${instanceId}" of the group "${groupId}"`, failed);
    } finally {
      await admin.close();
    }
    return new KafkaError(
      `${stay}: another process runs as instance "${instanceId}", expected to be the only one`,
      "fenced",
      INSTANCE_TAKEN,
    );
  }

  /** One native call at a time; drops what is not ours (any more). */
  async function consume(maxRecords: number): Promise<RecordTable | NativeMessage[]> {
    consuming = read(maxRecords, pollMs);
    try {
      const read = await consuming;
      if (!Array.isArray(read) && read.parts.every(ownership.reads)) return read;
      const messages = listed(read);
      return messages.every(ownership.reads) ? messages : messages.filter(ownership.reads);
    } catch (error) {
      const failed = await explain(kafkaError("poll", error));
      if (failed.kind === "fenced" || failed.kind === "fatal") {
        if (!fatal) finish(failed);
        throw failed;
      }
      // The rest is news of the moment (a broker down, a topic not there yet), told once per occurrence: go on.
      options.onError(failed);
      await sleep(pollMs);
      return [];
    } finally {
      consuming = undefined;
    }
  }

  /** Acknowledgements arrive only while somebody consumes. Reads little at a time, so that little piles up. */
  async function pumpUntil(settled: Promise<unknown>): Promise<void> {
    let done = false;
    const stop = () => {
      done = true;
    };
    settled.then(stop, stop);
    await new Promise(setImmediate); // a caller who polls does so first
    while (!done && !fatal) {
      if (polling || consuming) await sleep(2);
      else ahead.push(...listed(await consume(1)));
    }
  }

  let polling = false;
  async function poll(maxRecords: number): Promise<RecordTable | NativeMessage[]> {
    if (polling)
      throw new KafkaError("Cannot poll: a poll is under way, expected one at a time", "configuration", -172);
    if (closing) throw new KafkaError("Cannot poll: the consumer is closing, expected it open", "configuration", -172);
    if (fatal) throw fatal;
    polling = true;
    try {
      await consuming; // the pump's
      return ahead.length > 0 ? ahead.splice(0, maxRecords) : await consume(maxRecords);
    } finally {
      polling = false;
    }
  }

  native.subscribe(topics);

  return {
    native,
    poll: async (maxRecords) => listed(await poll(maxRecords)) as Message[],
    pollTable: async (maxRecords) => (await poll(maxRecords)) as RecordTable | Message[],
    async committed(partitions) {
      if (partitions.length === 0) return [];
      type Listed = { topic: string; partition: number; offset?: number; metadata?: unknown }[];
      const listed = await promised<Listed>(`read the commits of the group "${groupId}"`, (done) =>
        native.committed([...partitions], timeoutMs, done as never),
      );
      return listed.map(({ topic, partition, offset, metadata }) => ({
        ...{ topic, partition, offset: offset !== undefined && offset >= 0 ? offset : null },
        metadata: metadataText(metadata),
      }));
    },
    async commit(offsets) {
      if (offsets.length === 0) return;
      checkOffsets(offsets);
      ownership.assertOwned(offsets);
      if (fatal) throw fatal;
      const acknowledged = commits.expect(offsets);
      try {
        native.commit([...offsets]);
      } catch (error) {
        commits.acknowledge(error, offsets);
      }
      pumpUntil(acknowledged).catch(() => {}); // a failure of the pump is `fatal`, which rejects `acknowledged`
      await acknowledged;
    },
    owned: ownership.owned,
    epoch: ownership.epoch,
    assertOwned: ownership.assertOwned,
    pause: (partitions) => native.pause([...partitions]),
    resume: (partitions) => native.resume([...partitions]),
    async close() {
      if (closing) return;
      await rebalancing;
      const ours = ownership.revoking(ownership.owned());
      if (ours.length > 0 && !fatal) await options.onRevoke(ours);
      closing = true;
      ownership.drop(ours);
      await consuming?.catch(() => {});
      commits.rejectAll(new KafkaError("Cannot commit: the consumer is closing, expected it open", "rebalance", -172));
      await promised("leave the group", (done) => native.disconnect(done));
    },
  };
}

const listed = (read: RecordTable | NativeMessage[]): NativeMessage[] =>
  Array.isArray(read) ? read : messagesOf(read);

/** Methods that the package has and its types do not name. */
type Unnamed = {
  assignmentLost(): boolean;
};

/** The binding gives metadata as a string or as a list with one. */
function metadataText(metadata: unknown): string {
  const text = Array.isArray(metadata) ? metadata[0] : metadata;
  return typeof text === "string" ? text : "";
}
