/** What goes wrong before or instead of a replay ends with an exit code that a script notices, and a sentence. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { startWeir } from "../../test/support/engineProcess.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-replay-"));
  await mkdir(join(folder, "rules"));
});
afterEach(async () => {
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

async function replay(content: string, env: Record<string, string> = {}) {
  const file = join(folder, "some.ndjson");
  await writeFile(file, content);
  const weir = startWeir(["replay", file], {
    WEIR_DATA: folder,
    RULES_DIR: join(folder, "rules"),
    WEIR_THREADS: "1",
    ...env,
  });
  return { code: (await weir.exited).code, said: weir.log(), summary: weir.stdout() };
}

test("a file without any transaction is refused with the reason, after its summary", async () => {
  const garbage = await replay("one\ntwo\n");
  expect(garbage).toMatchObject({ code: 1, summary: expect.stringContaining('"dead_letters":2') });
  expect(garbage.said).toContain("none of its 2 lines is a transaction");
  expect(garbage.said).toContain("from dead_letters where source = 'recording:");
  expect(await replay("")).toMatchObject({ code: 1, said: expect.stringContaining("it is empty") });
});

test("a RULES_DIR that is not there is a mistake of the configuration", async () => {
  const { code, said } = await replay("", { RULES_DIR: "/nope" });
  expect(code).toBe(3);
  expect(said).toMatch(/RULES_DIR "\/nope": it cannot be read: ENOENT.*, expected a folder of \.wasm/);
});
