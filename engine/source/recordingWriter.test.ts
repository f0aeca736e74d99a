import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRecordingWriter } from "./recordingWriter.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-writer-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const unpack: Record<string, (bytes: Buffer) => Uint8Array> = {
  ".ndjson": (bytes) => bytes,
  ".ndjson.gz": gunzipSync,
  ".ndjson.zst": (bytes) => decompress(bytes),
};

describe("createRecordingWriter()", () => {
  it.each(Object.keys(unpack))("writes every line of a %s, over several compressed chunks", async (ending) => {
    const path = join(folder, `many${ending}`);
    // 3 MB: more than ten of the chunks in which zstd is fed, and more than any stream buffers.
    const lines = Array.from({ length: 3000 }, (_, index) => ({
      index,
      input: `0x${(index * 7919).toString(16).repeat(200).slice(0, 1000)}`,
    }));
    const writer = await createRecordingWriter(path);
    for (const line of lines) await writer.write(line);
    await writer.close();
    const text = Buffer.from(unpack[ending]!(await readFile(path))).toString();
    expect(text).toBe(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });

  it.each(Object.keys(unpack))("leaves a readable empty %s when nothing was written", async (ending) => {
    const path = join(folder, `empty${ending}`);
    await (await createRecordingWriter(path)).close();
    expect(unpack[ending]!(await readFile(path))).toHaveLength(0);
  });

  it("writes one .zst after another, and refuses two at a time", async () => {
    const first = await createRecordingWriter(join(folder, "first.ndjson.zst"));
    await expect(createRecordingWriter(join(folder, "second.ndjson.zst"))).rejects.toThrow(
      "another .zst is being written, expected one at a time",
    );
    await first.write({ which: 1 });
    await first.close();
    const second = await createRecordingWriter(join(folder, "second.ndjson.zst"));
    await second.write({ which: 2 });
    await second.close();
    expect(Buffer.from(decompress(await readFile(join(folder, "second.ndjson.zst")))).toString()).toBe('{"which":2}\n');
  });

  it("refuses other names, folders that are not there and files that are", async () => {
    await expect(createRecordingWriter(join(folder, "x.json"))).rejects.toThrow(
      "unknown kind of recording, expected a name in .ndjson",
    );
    await expect(createRecordingWriter(join(folder, "no", "x.ndjson.zst"))).rejects.toThrow(
      "ENOENT, expected a folder that exists",
    );
    await expect(createRecordingWriter(join(folder, "many.ndjson"))).rejects.toThrow(
      "the file exists already, expected a new file",
    );
    // A refused one must not keep the one zstd stream of the process.
    await (await createRecordingWriter(join(folder, "after.ndjson.zst"))).close();
  });

  it.runIf(existsSync("/dev/full"))("says so when the disk is full", async () => {
    const path = join(folder, "full.ndjson.gz");
    await symlink("/dev/full", path);
    const writer = await createRecordingWriter(path, { replace: true });
    await writer.write({ line: 1 });
    await expect(writer.close()).rejects.toThrow(
      /Cannot write ".*full.ndjson.gz": ENOSPC.*, expected a disk with room/,
    );
  });
});
