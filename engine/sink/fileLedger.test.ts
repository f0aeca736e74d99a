import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replaceFile } from "../ops/replaceFile.ts";
import { createFileLedger } from "./fileLedger.ts";
import type { PartitionState } from "./ledger.ts";

const none: never[] = [];
const at = (stored: number): PartitionState => ({ stored, published: stored, ranges: [] });
const open: PartitionState = {
  stored: 10,
  published: 30,
  ranges: [{ cuts: [20, 30], round: undefined, catalogue: "0123456789abcdef", world: "fedcba9876543210" }],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-ledger-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a ledger that was never committed has no positions", async () => {
  expect(await createFileLedger(join(folder, "l.json"), "recording:a").read([0, 1])).toEqual(new Map());
});

test("a commit is there for the next process, other partitions as they were", async () => {
  const path = join(folder, "deep", "l.json");
  const first = createFileLedger(path, "recording:a");
  await first.commit([{ partition: 0, state: open }], none);
  await first.commit([{ partition: 3, state: at(7) }], none);
  expect(await createFileLedger(path, "recording:a").read([0, 3, 4])).toEqual(
    new Map([
      [0, open],
      [3, at(7)],
    ]),
  );
});

test("another source's ledger is refused", async () => {
  const path = join(folder, "l.json");
  await createFileLedger(path, "recording:a").commit([{ partition: 0, state: at(1) }], none);
  await expect(createFileLedger(path, "recording:b").read([0])).rejects.toThrow(
    `Cannot use the ledger "${path}": it belongs to "recording:a", expected "recording:b"`,
  );
});

test("a damaged file is refused with its path", async () => {
  const path = join(folder, "l.json");
  await writeFile(path, '{"source":"recording:a","partit');
  await expect(createFileLedger(path, "recording:a").read([0])).rejects.toThrow(`Cannot read the ledger "${path}"`);
});

test("a commit that failed has not happened, and leaves no draft", async () => {
  const path = join(folder, "sub", "l.json");
  const ledger = createFileLedger(path, "recording:a");
  await ledger.commit([{ partition: 0, state: at(1) }], none);
  // Root may write anywhere, so the path itself is put in the way.
  await rm(path);
  await mkdir(join(path, "in the way"), { recursive: true });
  await expect(ledger.commit([{ partition: 0, state: at(2) }], none)).rejects.toThrow();
  expect(await ledger.read([0])).toEqual(new Map([[0, at(1)]]));
  expect(await readdir(join(folder, "sub"))).toEqual(["l.json"]);
  await rm(path, { recursive: true });
  await ledger.commit([{ partition: 0, state: at(3) }], none);
  expect(await createFileLedger(path, "recording:a").read([0])).toEqual(new Map([[0, at(3)]]));
});

test("writers of one file at once: each content is whole, and the last is one of theirs", async () => {
  const path = join(folder, "f");
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  let done = false;
  const reading = (async () => {
    for (let reads = 0; ; reads++) {
      const text = await readFile(path, "utf8").catch(() => contents[0]!);
      expect(contents).toContain(text);
      if (done) return reads;
    }
  })();
  await Promise.all(contents.map((content) => replaceFile(path, content)));
  done = true;
  expect(await reading).toBeGreaterThan(0);
  expect(contents).toContain(await readFile(path, "utf8"));
  expect(await readdir(folder)).toEqual(["f"]);
});

test("killed at any moment, the file is an old content or a new one, whole", async () => {
  const path = join(folder, "l.json");
  const script = `
    const { createFileLedger } = await import(${JSON.stringify(new URL("fileLedger.ts", import.meta.url).href)});
    const ledger = createFileLedger(${JSON.stringify(path)}, "recording:a");
    for (let i = (await ledger.read([0])).get(0)?.stored ?? 0; ; ) {
      await ledger.commit([{ partition: 0, state: { stored: ++i, published: i, ranges: [] } }], []);
      process.stdout.write(i + "\\n");
    }`;
  let before = 0;
  for (let kill = 0; kill < 3; kill++) {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => (said += chunk));
    while (said.split("\n").length < 20) await new Promise((resolve) => setTimeout(resolve, kill + 1));
    child.kill("SIGKILL");
    await once(child, "close");
    const acknowledged = Number(said.trim().split("\n").at(-1));
    const stored = (await createFileLedger(path, "recording:a").read([0])).get(0)!.stored;
    expect(acknowledged).toBeGreaterThan(before);
    expect([acknowledged, acknowledged + 1]).toContain(stored);
    before = acknowledged;
  }
});
