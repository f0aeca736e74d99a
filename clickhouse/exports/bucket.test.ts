import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ObjectStoreOptions } from "../objectStore.ts";
import { openBucket } from "./bucket.ts";
import type { Part } from "./manifest.ts";
import type { Place } from "./place.ts";

/** A server that speaks S3, over a folder. */
interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const S3rver = createRequire(import.meta.url)("s3rver") as new (options: object) => S3rver;

let folder: string;
let server: S3rver;
let options: ObjectStoreOptions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-bucket-"));
  server = new S3rver({
    ...{ port: 0, address: "127.0.0.1", silent: true, directory: join(folder, "s3") },
    configureBuckets: [{ name: "exports" }],
  });
  const { port } = await server.run();
  options = {
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    accessKeyId: "S3RVER",
    secretAccessKey: "S3RVER",
  };
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (url = "s3://exports/a/b", more: Partial<ObjectStoreOptions> = {}): Place =>
  openBucket(url, { ...options, ...more }, join(folder, "scratch"));

const part = (file: string): Part => ({ file, rows: 1, bytes: 1, sha256: "", first: ["0", "0"], last: ["0", "0"] });

async function staged(place: Place, content: string | Buffer): Promise<string> {
  const path = join(place.staging("swaps"), "part");
  await mkdir(place.staging("swaps"), { recursive: true });
  await writeFile(path, content);
  return path;
}

describe("a bucket", () => {
  test("takes parts one by one, those of many MiB too, then the manifest; a part that it has is not asked for again", async () => {
    const place = open();
    expect(place.name).toBe("s3://exports/a/b/");
    const large = Buffer.alloc(20 << 20, "weir");
    for (const [file, content] of [
      ["date=2024-01-01/swaps-1.csv", "one"],
      ["swaps-2.csv", large],
    ] as const) {
      const path = await staged(place, content);
      await place.take(part(file), path);
      expect(existsSync(path)).toBe(false);
      await place.take(part(file), path); // after a crash
    }
    expect(await place.list("swaps-")).toEqual(["swaps-2.csv"]);
    expect(await place.read("date=2024-01-01/swaps-1.csv")).toBe("one");
    expect(Buffer.from(await place.read("swaps-2.csv")).equals(large)).toBe(true);
    await place.publish([], place.staging("swaps"), { name: "swaps-000001.manifest.json", text: "{}" });
    expect(await open("s3://exports/a/b/").list("swaps-")).toEqual(["swaps-000001.manifest.json", "swaps-2.csv"]);
    expect(await open("s3://exports").list("swaps-")).toEqual([]);
  });

  test("lists in pages", async () => {
    const place = open("gs://exports/many", { pageSize: 2 });
    const names = ["swaps-1", "swaps-2", "swaps-3", "swaps-4", "swaps-5"];
    for (const name of [...names, "swaps-2/below"]) await place.publish([], "", { name, text: "" });
    expect(await place.list("swaps-")).toEqual(names);
  });

  test.each([
    [
      "a key that is not known",
      "s3://exports/x",
      { accessKeyId: "nobody" },
      "the server refuses our keys (InvalidAccessKeyId)",
    ],
    ["a bucket that is not there", "s3://nowhere/x", {}, "there is no such bucket"],
    ["a server that is not there", "s3://exports/x", { endpoint: "http://127.0.0.1:9" }, "ECONNREFUSED"],
  ])("%s is an error that says so", async (_what, url, more, message) => {
    const place = open(url, more);
    const errors = [
      await place.list("").catch((error: Error) => error.message),
      await place.take(part("f"), await staged(place, "x")).catch((error: Error) => error.message),
    ];
    expect(errors).toEqual([
      expect.stringContaining(`Cannot list "${url}/"`),
      expect.stringContaining(`Cannot export to "${url}/"`),
    ]);
    for (const error of errors) expect(error).toContain(message);
  });

  test.each(["s3://", "s3://UPPER/x", "s3://a/x", "http://exports/x", "s3:/exports"])("%s is no bucket", (url) => {
    expect(() => open(url)).toThrow("it names no bucket, expected s3://bucket/prefix");
  });
});
