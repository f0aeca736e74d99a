import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openBucket } from "../../clickhouse/archive/bucket.ts";
import type { Manifest } from "../../clickhouse/archive/manifest.ts";
import { createArchiveReader } from "../../clickhouse/archive/reader.ts";
import { writeArchive } from "../../clickhouse/archive/write.ts";
import { startS3 } from "../../test/support/s3Server.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { segmentSchema } from "./archive.ts";

const ROWS = 25;
const rowsSchema = z.array(z.record(z.string(), z.unknown()));
let server: TestServer;
let segment: Manifest;

beforeAll(async () => {
  server = await startTestServer({ archived: true });
  const { store, place } = server;
  await store.command(
    `INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, value)
     SELECT 'tx_raw', 0, number, 0, toDateTime64('2024-06-01 00:00:00', 6, 'UTC') + number, 1 + number % 2, unhex(leftPad(lower(hex(number)), 64, '0')),
       unhex(leftPad(lower(hex(number % 3)), 40, '0')), pow(2, 80)::UInt256 FROM numbers(${ROWS})`,
  );
  const encoding = { format: "parquet", compression: "zstd", batch: 10 } as const;
  const positions = [{ source: "tx_raw", partition: 0, stored: ROWS }];
  [segment] = (await writeArchive({ store, place, encoding, positions, now: () => new Date() })) as [Manifest];
  await store.command("TRUNCATE TABLE transactions");
});
afterAll(() => server?.close());

test("segments are listed by chain and time, and shown one by one", async () => {
  const list = z.array(segmentSchema);
  const [found] = await server.read("/api/v1/archive?chain_id=2&since=2024-06-01", list);
  expect(found).toMatchObject({ id: segment.id, chain_ids: [1, 2], ranges: [{ partition: 0, from: 0, to: ROWS }] });
  expect(await server.read("/api/v1/archive?chain_id=3", list)).toEqual([]);
  expect(await server.read("/api/v1/archive?until=2024-06-01", list)).toEqual([]);
  expect(await server.read(`/api/v1/archive/segments/${segment.id}`, segmentSchema)).toEqual(found);
});

test("rows that the store does not have any more are paged through, each once, newest first", async () => {
  const offsets: string[] = [];
  let path: string | undefined = "/api/v1/archive/transactions?limit=10";
  while (path) {
    const answer = await server.get(path);
    expect([answer.status, answer.headers.get("x-total-count")]).toEqual([200, String(ROWS)]);
    offsets.push(...(answer.body() as { offset: string }[]).map(({ offset }) => offset));
    path = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link")!)?.[1];
  }
  expect(offsets).toEqual(Array.from({ length: ROWS }, (_, i) => String(ROWS - 1 - i)));
});

test("filters narrow them; values are as in the live lists", async () => {
  const hash = `0x${"7".padStart(64, "0")}`;
  const [row] = await server.read(`/api/v1/archive/transactions?hash=${hash}`, rowsSchema);
  expect(row).toMatchObject({
    hash,
    offset: "7",
    value: String(2n ** 80n),
    event_time: "2024-06-01T00:00:07.000000Z",
    block_status: "pending",
  });
  const address = `0x${"1".padStart(40, "0")}`;
  expect(await server.read(`/api/v1/archive/transactions?address=${address}&chain_id=2`, rowsSchema)).toHaveLength(4);
  expect(await server.read("/api/v1/archive/transactions?since=2024-06-01T00:00:20Z", rowsSchema)).toHaveLength(5);
  expect(await server.read("/api/v1/archive/transactions?block_number=1", rowsSchema)).toEqual([]);
  expect(await server.read("/api/v1/archive/alerts", rowsSchema)).toEqual([]);
});

describe("an archive in a bucket that does not give it out", () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    s3 = await startS3("history");
  });
  afterAll(() => s3?.stop());

  test.each([
    ["our keys are refused", "history", { accessKeyId: "nobody" }, /refuses our keys.*Check AWS_ACCESS_KEY_ID/],
    ["it is not there", "nowhere", {}, /there is no such bucket/],
    ["its server is away", "history", { endpoint: "http://127.0.0.1:9" }, /ECONNREFUSED/],
  ])("is a 503 that says why: %s", async (_why, bucket, more, detail) => {
    const { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = s3.env;
    const options = { endpoint, accessKeyId, secretAccessKey, region: "us-east-1", ...more };
    const place = openBucket(`s3://${bucket}/x`, options);
    const known = { ...place, manifests: async () => [segment] }; // listed, and then not read
    const readers = [place, known].map((each) => createArchiveReader(server.store, each));
    const answers = [];
    for (const archive of readers) {
      const api = await server.another({ archive }).listen(server.config.api);
      for (const path of ["", `/segments/${segment.id}`, "/transactions"]) {
        const answer = await fetch(`${api.url}/api/v1/archive${path}`);
        const body = (await answer.json()) as { detail?: string };
        answers.push({ status: answer.status, detail: body.detail });
      }
      await api.close();
    }
    const refused = { status: 503, detail: expect.stringMatching(detail) };
    expect(answers).toEqual([
      ...[refused, refused, refused],
      ...[
        { status: 200 },
        { status: 200 },
        { status: 503, detail: expect.stringMatching(/file of the archive.*verify/) },
      ],
    ]);
  });
});

test.each([
  ["/api/v1/archive/rule_state", 400],
  ["/api/v1/archive/transactions?hash=0x12", 400],
  ["/api/v1/archive/transactions?limit=1001", 400],
  ["/api/v1/archive/transactions?since=2024-06-02&until=2024-06-01", 400],
  ["/api/v1/archive?limit=1", 400],
  ["/api/v1/archive/segments/20240601T000000Z-00000000", 404],
  ["/api/v1/archive/segments/..%2Fx", 400],
])("%s is %d", async (path, status) => {
  expect((await server.get(path)).status).toBe(status);
});
