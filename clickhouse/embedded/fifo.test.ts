import { closeSync, constants, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFifo, widenFifo } from "./fifo.ts";

test.runIf(process.platform === "linux")("a FIFO that was widened takes a MiB that nobody reads", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-fifo-"));
  const path = await makeFifo(folder);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    await widenFifo(reader);
    expect(writeSync(writer, Buffer.alloc(1 << 20))).toBe(1 << 20); // else it takes what there is room for
  } finally {
    closeSync(writer);
    closeSync(reader);
    await rm(folder, { recursive: true });
  }
});
