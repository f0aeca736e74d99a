/** What goes wrong before or instead of a replay ends with an exit code that a script notices, and a sentence. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { startWeir } from "../../test/support/engineProcess.ts";
import { weir } from "./rule/testCommand.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-replay-"));
  await mkdir(join(folder, "rules"));
});
afterEach(async () => {
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

async function recording(content: string): Promise<string> {
  const file = join(folder, "some.ndjson");
  await writeFile(file, content);
  return file;
}
const env = () => ({ WEIR_DATA: folder, RULES_DIR: join(folder, "rules"), WEIR_THREADS: "1" });

test("a file without any transaction is refused with the reason, after its summary", async () => {
  const garbage = startWeir(["replay", await recording("one\ntwo\n")], env()); // a real exit code
  expect((await garbage.exited).code).toBe(1);
  expect(garbage.stdout()).toContain('"dead_letters":2');
  expect(garbage.log()).toContain("none of its 2 lines is a transaction");
  expect(garbage.log()).toContain("from dead_letters where source = 'recording:");
  const empty = await weir(["replay", await recording("")], { env: env() });
  expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining("it is empty") });
});

test("a RULES_DIR that is not there is a mistake of the configuration", async () => {
  const { code, stderr } = await weir(["replay", await recording("")], { env: { ...env(), RULES_DIR: "/nope" } });
  expect(code).toBe(3);
  expect(stderr).toMatch(/RULES_DIR "\/nope": it cannot be read: ENOENT.*, expected a folder of \.wasm/);
});
