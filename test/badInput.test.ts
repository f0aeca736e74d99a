/**
 * What a stranger may put on the topic: each bad record becomes a dead letter, in the table and on the topic, with its place,
 * its reason and its bytes; the good ones around it are stored; the stream goes on.
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSynthetic } from "../bench/load/synthetic.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { OFFSET } from "../engine/frame/schema.ts";
import { type TransactionRecord, writeFrame } from "../engine/frame/writeFrame.ts";
import type { Message } from "../engine/kafka/message.ts";
import type { Headers } from "../engine/kafka/producer.ts";
import { createKafkaScene, type KafkaScene, type SentRecord } from "./support/kafkaScene.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";

const synthetic = createSynthetic({ seed: 11 });
const JSON_TYPE = { "content-type": "application/json" };
const LINES_TYPE = { "content-type": "application/x-ndjson" };
const FRAMES_TYPE = { "content-type": "application/vnd.weir.frames.v1" };

const good = (): string => synthetic.next();
/** A good transaction with something else in its place. */
const but = (change: Record<string, unknown>): Buffer =>
  Buffer.from(JSON.stringify({ ...JSON.parse(good()), ...change }));
const text = (value: string): Buffer => Buffer.from(value);
const zeros = (bytes: number): string => `0x${"0".repeat(2 * bytes)}`;

function frames(count: number): Buffer {
  const writer = createFrameWriter();
  for (let i = 0; i < count; i++) writeFrame(writer, JSON.parse(good()) as TransactionRecord);
  return Buffer.from(writer.bytes.slice(0, writer.end));
}
/** Three frames, the middle one with a word overwritten. */
function damaged(offset: number, value: number): Buffer {
  const three = frames(3);
  const second = three.readUInt32LE(OFFSET.size);
  three.writeUInt32LE(value, second + offset);
  return three;
}

interface Bad {
  readonly what: string;
  readonly value: Buffer | null;
  readonly headers?: Headers;
  readonly reason: string;
  readonly detail: RegExp;
  /** Place in the record, and how many good ones the record holds besides. */
  readonly n?: number;
  readonly goodOnes?: number;
  /** What the letter holds, where that is not the whole record. */
  readonly bytes?: (record: Buffer) => Buffer;
}

const cutFrame = frames(1).subarray(0, 300);
const line = (i: number) => (record: Buffer) => text(record.toString().split("\n")[i]!);

const BAD: Bad[] = [
  {
    what: "truncated JSON",
    value: text(good().slice(0, 400)),
    reason: "truncated",
    detail: /is cut off, expected more bytes/,
  },
  {
    what: "a number for a string",
    value: but({ value: 5 }),
    reason: "wrong_type",
    detail: /"value" at byte \d+ is 5, expected 0x and 1 to 64 hex digits/,
  },
  {
    what: "a string for an object",
    value: but({ receipt: "0x" }),
    reason: "wrong_type",
    detail: /"receipt" at byte \d+ is "0x", expected an object/,
  },
  { what: "an array for a transaction", value: text("[1]"), reason: "not_object", detail: /expected a JSON object/ },
  {
    what: "a missing field",
    value: but({ nonce: undefined }),
    reason: "missing_field",
    detail: /"nonce".* is missing/,
  },
  {
    what: "hex that is too long",
    value: but({ hash: zeros(33) }),
    reason: "hex_too_long",
    detail: /"hash" at byte \d+ .*expected 0x and 64 hex digits/,
  },
  {
    what: "hex that is too short",
    value: but({ from: zeros(19) }),
    reason: "hex_too_short",
    detail: /"from".*expected 0x and 40 hex digits/,
  },
  { what: "hex that is none", value: but({ input: "0xzz" }), reason: "bad_hex", detail: /"input".*"0xzz"/ },
  {
    what: "duplicate keys",
    value: text(good().replace(/^\{/, '{"nonce":"0x1",')),
    reason: "duplicate_key",
    detail: /"nonce" at byte \d+ occurs twice/,
  },
  // Not every build of the binding tells an empty value from none.
  { what: "an empty record", value: text(""), reason: "no_value", detail: /expected a transaction/ },
  { what: "blanks", value: text(" \n "), reason: "empty", detail: /expected/ },
  { what: "a record without a value", value: null, reason: "no_value", detail: /has no value, expected a transaction/ },
  {
    what: "binary noise",
    value: Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 197 + 13) & 0xff)),
    reason: "not_json",
    detail: /expected strict JSON/,
  },
  {
    what: "invalid UTF-8",
    value: Buffer.concat([text('{"x":"'), Buffer.of(0xff, 0xfe), text('"}')]),
    reason: "bad_utf8",
    detail: /expected valid UTF-8/,
  },
  {
    what: "nesting without end",
    value: text(`{"x":${"[".repeat(100_000)}`),
    reason: "too_deep",
    detail: /expected at most 256 levels/,
  },
  {
    what: "an unknown chain",
    value: but({ chainId: 424_242 }),
    reason: "unknown_chain",
    detail: /chain "424242": it is not configured, expected one of WEIR_CHAINS/,
    bytes: () => text(""),
  },
  {
    what: "5 MB",
    value: but({ input: zeros(2_500_000) }),
    reason: "too_large",
    detail: /has 5000\d+ bytes, expected at most 4 MiB/,
  },
  {
    what: "2 MB cut off",
    value: but({ input: zeros(1_000_000) }).subarray(0, 2_000_000),
    reason: "truncated",
    detail: /"input".*is cut off/,
  },
  {
    what: "frames that are not",
    value: text(good()),
    headers: FRAMES_TYPE,
    reason: "bad_frame",
    detail: /expected a well-formed frame of version 1/,
  },
  {
    what: "frames under the name of JSON",
    value: frames(1),
    headers: JSON_TYPE,
    reason: "not_json",
    detail: /expected strict JSON/,
  },
  { what: "a frame cut off", value: cutFrame, headers: FRAMES_TYPE, reason: "bad_frame", detail: /bad|frame/ },
  {
    what: "a frame of another version",
    value: damaged(OFFSET.version, 0x01a0_0002),
    headers: FRAMES_TYPE,
    reason: "bad_frame",
    detail: /version/,
    n: 1,
    goodOnes: 2,
    bytes: middle,
  },
  {
    what: "a frame with logs beyond its end",
    value: damaged(OFFSET.logCount, 0xffff_ffff),
    headers: FRAMES_TYPE,
    reason: "bad_frame",
    detail: /log/i,
    n: 1,
    goodOnes: 2,
    bytes: middle,
  },
  {
    what: "a frame with an input beyond its end",
    value: damaged(OFFSET.inputLength, 0x7fff_ffff),
    headers: FRAMES_TYPE,
    reason: "bad_frame",
    detail: /"size" at byte 4 is 0x[0-9a-f]{16}, expected a well-formed frame/,
    n: 1,
    goodOnes: 2,
    bytes: middle,
  },
  {
    what: "NDJSON with one bad line",
    value: text(`${good()}\n{"bad":\n${good()}\n`),
    headers: LINES_TYPE,
    reason: "truncated",
    detail: /is cut off/,
    n: 1,
    goodOnes: 2,
    bytes: line(1),
  },
  {
    what: "NDJSON without a header",
    value: text(`${good()}\n${good()}\nnot json\n`),
    reason: "not_json",
    detail: /expected strict JSON/,
    n: 2,
    goodOnes: 2,
    bytes: line(2),
  },
];

function middle(record: Buffer): Buffer {
  const first = record.readUInt32LE(OFFSET.size);
  return record.subarray(first, first + record.readUInt32LE(first + OFFSET.size));
}

interface LetterRow {
  source: string;
  partition: number;
  offset: string;
  n: number;
  reason: string;
  detail: string;
  rule: string;
  size: number;
  sha256: string;
  held: string;
}

describe("bad input", () => {
  let scene: KafkaScene;
  let letters: LetterRow[];
  let published: Message[];
  let goodOnes = 0;
  /** Bad records alternate between the partitions, a good one before each. */
  const placeOf = (i: number) => ({ partition: i % 2, offset: Math.floor(i / 2) * 2 + 1 });

  beforeAll(async () => {
    const brokers = await sharedBrokers();
    scene = await createKafkaScene({ brokers });
    const records = BAD.flatMap(({ value, headers }, i): SentRecord[] => [
      { partition: i % 2, value: text(good()), headers: JSON_TYPE },
      { partition: i % 2, value, ...(headers ? { headers } : {}) },
    ]);
    goodOnes = BAD.reduce((sum, { goodOnes = 0 }) => sum + goodOnes, BAD.length + 2);
    await scene.send(records);
    const engine = scene.start();
    await scene.settle(engine);
    // After all of that, both partitions go on.
    await scene.send([0, 1].map((partition) => ({ partition, value: text(good()), headers: JSON_TYPE })));
    await scene.settle(engine);
    await engine.stop();
    letters = await (await scene.store()).rows<LetterRow>(
      `SELECT source, partition, offset, n, reason, detail, rule, size, lower(hex(sha256)) AS sha256, lower(hex(SHA256(bytes))) AS held
       FROM dead_letters ORDER BY partition, offset, n`,
    );
    published = await readCommitted(brokers, scene.topics.deadLetters);
  });
  afterAll(() => scene?.close());

  const headersOf = ({ headers = [] }: Message): Record<string, string> =>
    Object.assign(
      {},
      ...headers.map((header) => Object.fromEntries(Object.entries(header).map(([k, v]) => [k, String(v)]))),
    );

  test.each(BAD.map((bad, i) => ({ ...bad, i })))("$what", ({ value, reason, detail, n = 0, bytes, i }) => {
    const { partition, offset } = placeOf(i);
    const here = letters.filter((letter) => letter.partition === partition && letter.offset === String(offset));
    expect(here).toHaveLength(1);
    const [letter] = here;
    expect(letter).toMatchObject({ source: scene.topics.txRaw, n, reason, rule: "" });
    expect(letter!.detail).toMatch(detail);
    expect(letter!.detail).toMatch(/^Cannot /);
    const held =
      reason === "unknown_chain"
        ? undefined /* see below */
        : (bytes ?? ((record: Buffer) => record))(value ?? text(""));
    if (held) {
      expect(letter!.size).toBe(held.length);
      expect(letter!.sha256).toBe(createHash("sha256").update(held).digest("hex"));
    }
    expect(letter!.held).toBe(letter!.sha256);

    const records = published.filter((message) => {
      const headers = headersOf(message);
      return headers["weir-partition"] === String(partition) && headers["weir-offset"] === String(offset);
    });
    expect(records).toHaveLength(1);
    expect(headersOf(records[0]!)).toMatchObject({
      "weir-source": scene.topics.txRaw,
      "weir-n": String(n),
      "weir-reason": reason,
      "weir-detail": letter!.detail.replace(/[^\x20-\x7e]/g, "?"),
      "weir-size": String(letter!.size),
      "weir-sha256": letter!.sha256,
    });
    const large = letter!.size > 900 * 1024;
    expect(headersOf(records[0]!)["weir-bytes"]).toBe(large ? "in the table dead_letters only" : "here");
    if (large) expect(records[0]!.value?.length ?? 0).toBe(0);
    else if (held) expect(Buffer.compare(records[0]!.value ?? Buffer.alloc(0), held)).toBe(0);
  });

  test("a transaction of an unknown chain is kept as JSON that can be put back", async () => {
    const store = await scene.store();
    const [row] = await store.rows<{ bytes: string }>("SELECT bytes FROM dead_letters WHERE reason = 'unknown_chain'");
    const sent = JSON.parse(BAD.find(({ reason }) => reason === "unknown_chain")!.value!.toString());
    expect(JSON.parse(row!.bytes)).toMatchObject({ chainId: 424_242, hash: sent.hash, input: sent.input });
  });

  test("the good ones around them are stored, and the counts add up", async () => {
    const store = await scene.store();
    const [row] = await store.rows(
      "SELECT toFloat64(count()) AS n, toFloat64(uniqExact(hash)) AS hashes FROM transactions",
    );
    expect(row).toEqual({ n: goodOnes, hashes: goodOnes });
    expect(letters).toHaveLength(BAD.length);
    expect(published).toHaveLength(BAD.length);
  });
});
