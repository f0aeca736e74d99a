/** Files of more than is written at a time: what becomes of each table is in exports.test.ts. */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lanes, openLanes } from "./lanes.ts";
import { writeAside } from "./writeAside.ts";

let folder: string;
let lanes: Lanes;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-aside-"));
  lanes = openLanes(folder);
});
afterAll(async () => {
  await lanes.close();
  await rm(folder, { recursive: true });
});

/** No piece is twice the same, and the last one ends anywhere in a block of the disk. */
const PIECES = [...Array.from({ length: 60 }, () => randomBytes(1 << 20)), randomBytes(12_345)];

/** As fast as it is read. */
const write = (path: string) =>
  writeAside(path, {
    lanes,
    write: (fifo) => pipeline(Readable.from(PIECES), createWriteStream(fifo)),
    stop: () => Promise.resolve(), // it ends when nobody reads
  });

test("a file is what was written, in its order, and so is its hash", async () => {
  const path = join(folder, "whole");
  const bytes = Buffer.concat(PIECES);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  expect(await write(path)).toEqual({ bytes: bytes.length, sha256 });
  expect(bytes.equals(await readFile(path))).toBe(true);
});

test("a disk that is full says so, however much is on its way to it, and the thread makes the next file", async () => {
  const path = join(folder, "full");
  await symlink("/dev/full", path);
  await expect(write(path)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(await write(join(folder, "next"))).toMatchObject({
    bytes: PIECES.reduce((sum, { length }) => sum + length, 0),
  });
});
