/** A range of blocks into a recording: complete, verified, and the same bytes however often it was stopped. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLines } from "../engine/source/recording.ts";
import { type BackfillOptions, backfill } from "../engine/source/rpc/backfill.ts";
import { createTestNode } from "./recordings/make/node.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { startRpcProxy } from "./support/rpcProxy.ts";

let folder: string;
let anvil: Anvil;
let node: ReturnType<typeof createTestNode>;
let hashes: string[] = [];
/** Of the parts 20-99, 100-199, 200-230; the second has no transaction. */
const RANGE = { fromBlock: 20, toBlock: 230 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-backfill-"));
  anvil = await startAnvil({ args: ["--no-mining"] });
  node = createTestNode(anvil.url);
  const [from, to] = await node.call<string[]>("eth_accounts");
  const send = async (): Promise<string> => node.call("eth_sendTransaction", { from, to, value: "0x1" });
  await node.call("anvil_mine", "0x1d");
  for (let block = 30; block < 36; block++) {
    hashes.push(await send(), await send());
    await node.call("evm_mine");
  }
  await node.call("anvil_mine", "0xa5"); // up to block 200
  for (let block = 201; block < 206; block++) {
    hashes.push(await send());
    await node.call("evm_mine");
  }
  await node.call("anvil_mine", "0x1e");
  hashes = hashes.map((hash) => hash.toLowerCase());
});
afterAll(async () => {
  await anvil?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (out: string, more: Partial<BackfillOptions> = {}) =>
  backfill({ chainId: 31337, urls: [anvil.url], retries: 0, out: join(folder, out), ...RANGE, ...more });
async function hashesOf(out: string): Promise<string[]> {
  const found: string[] = [];
  for await (const line of readLines(join(folder, out)))
    found.push((JSON.parse(line.toString()) as { hash: string }).hash);
  return found;
}
const WHOLE = { blocks: 211, transactions: 17, proven: 211 };

describe("backfill()", () => {
  it.each(["ndjson", "ndjson.gz", "ndjson.zst"])(
    "is the same .%s after the node died, and after it was stopped",
    async (kind) => {
      const progress: [number, number][] = [];
      expect(await run(`straight.${kind}`, { onProgress: (...done) => progress.push(done) })).toEqual(WHOLE);
      expect(await hashesOf(`straight.${kind}`)).toEqual(hashes);
      expect(progress.at(0)).toEqual([0, 211]);
      expect(progress.at(-1)).toEqual([211, 211]);

      let calls = 0;
      const dying = await startRpcProxy(anvil.url, ({ method }) =>
        method === "eth_getBlockByNumber" && ++calls > 120 ? "hang up" : undefined,
      );
      try {
        await expect(run(`again.${kind}`, { urls: [dying.url] })).rejects.toMatchObject({
          message: expect.stringContaining("Cannot call"),
          next: `Run the same command again: it goes on at block 100, in ${join(folder, `again.${kind}`)}`,
        });
      } finally {
        await dying.stop();
      }
      const stop = new AbortController();
      await run(`again.${kind}`, { signal: stop.signal, onProgress: (done) => done > 195 && stop.abort() });
      expect(JSON.parse(await readFile(join(folder, `again.${kind}.progress`), "utf8"))).toMatchObject({ next: 200 });
      expect(await run(`again.${kind}`)).toEqual(WHOLE);
      const [straight, again] = await Promise.all(
        ["straight", "again"].map((name) => readFile(join(folder, `${name}.${kind}`))),
      );
      expect(again!.equals(straight!)).toBe(true);
      expect(existsSync(join(folder, `again.${kind}.progress`))).toBe(false);
    },
  );

  it("is a recording without a line where no block has a transaction", async () => {
    const range = { fromBlock: 110, toBlock: 120 };
    expect(await run("empty.ndjson.gz", range)).toEqual({ blocks: 11, transactions: 0, proven: 11 });
    expect(await hashesOf("empty.ndjson.gz")).toEqual([]);
  });

  it("asks no node more often than it may", async () => {
    let allowed = 0;
    const proxy = await startRpcProxy(anvil.url);
    await run("paced.ndjson", { urls: [proxy.url], pace: async () => void allowed++, fromBlock: 30, toBlock: 40 });
    expect([...proxy.asked.values()].reduce((sum, count) => sum + count)).toBe(allowed);
    await proxy.stop();
  });

  it("refuses a file that is another's, a block that is not mined, and blocks that are replaced meanwhile", async () => {
    await writeFile(join(folder, "mine.ndjson"), "");
    await expect(run("mine.ndjson")).rejects.toThrow("the file exists already, expected a new file");
    await expect(run("mine.txt")).rejects.toThrow("expected a name in .ndjson");
    await expect(run("beyond.ndjson", { toBlock: 999 })).rejects.toThrow(
      /Cannot backfill to block "999": the newest of chain 31337 is \d+, expected a block that is mined/,
    );
    await expect(run("beyond.ndjson", { toBlock: 998 })).rejects.toThrow(
      'beyond.ndjson": it has blocks 20 to 999 of chain 31337, expected 20 to 998 of chain 31337; name another file, or remove it and',
    );
    const stop = new AbortController();
    const range = { fromBlock: 190, toBlock: 230 };
    await run("replaced.ndjson", { ...range, signal: stop.signal, onProgress: (done) => done === 12 && stop.abort() });
    const [from, to] = await node.call<string[]>("eth_accounts");
    await node.call("anvil_reorg", 40, [[{ from, to, value: "0x2" }, 0]]); // an empty block would be the same again
    await expect(run("replaced.ndjson", range)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Cannot backfill blocks "19\d to 199": they were replaced while they were read, expected blocks that are final/,
      ),
      next: expect.stringContaining("begin again with a --to that lies further back"),
    });
  });
});

describe("weir backfill", () => {
  const weir = async (...args: string[]) =>
    promisify(execFile)("node", ["engine/weir.mjs", "backfill", ...args], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  it("writes the range that it is asked for, and says so in one line", async () => {
    const out = join(folder, "command.ndjson.gz");
    const asked = ["--chain", "31337", "--rpc", anvil.url, "--from", "28", "--to", "40", "--rate", "1000"];
    const { code, stdout, stderr } = await weir(out, ...asked);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const counts = { blocks: 13, transactions: 12, proven: 13 };
    expect(JSON.parse(stdout)).toEqual({ chain_id: 31337, from_block: 28, to_block: 40, ...counts });
    expect(await hashesOf("command.ndjson.gz")).toEqual(hashes.slice(0, 12));
  });
});
