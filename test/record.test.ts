import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { getContractAddress } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordOptions, record } from "../engine/source/recordCommand.ts";
import { createTestNode } from "./recordings/make/node.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { startRpcProxy } from "./support/rpcProxy.ts";
import { startTcpLine } from "./support/tcpLine.ts";

type Json = Record<string, unknown>;
let folder: string;
let anvil: Anvil;
let node: ReturnType<typeof createTestNode>;
let accounts: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-record-"));
  anvil = await startAnvil({ args: ["--no-mining", "--order", "fees"] });
  node = createTestNode(anvil.url);
  accounts = await node.call<string[]>("eth_accounts");
});

afterAll(async () => {
  await anvil?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Creates a contract that reverts when it is called: runtime `60006000fd` behind a copy loop of 12 bytes. */
const REVERTER_CREATION = "0x6005600c60003960056000f360006000fd";

/** One block with each kind of transaction, the first three of them seen pending; gives the hashes in mined order. */
async function mineBlock(seen: (count: number) => Promise<void>): Promise<{ hashes: string[]; number: number }> {
  const gwei = (amount: number) => `0x${(BigInt(amount) * 10n ** 9n).toString(16)}`;
  const [alice, bob, carol, dave, eve] = accounts;
  const reverter = {
    from: alice,
    data: REVERTER_CREATION,
    gas: "0x30000",
    maxFeePerGas: gwei(90),
    maxPriorityFeePerGas: gwei(5),
  };
  const creation = await node.call<string>("eth_sendTransaction", reverter);
  const listed = {
    from: bob,
    to: carol,
    value: "0x64",
    gas: "0xffff",
    gasPrice: gwei(70),
    accessList: [{ address: dave, storageKeys: [`0x${"0".repeat(63)}7`] }],
  };
  const withList = await node.call<string>("eth_sendTransaction", listed);
  const legacy = await node.call<string>("eth_sendTransaction", {
    from: carol,
    to: dave,
    value: "0x56bc75e2d63100000",
    gas: "0x5208",
    gasPrice: gwei(60),
  });
  await seen(3);
  const number = Number(await node.call<string>("eth_blockNumber")) + 1;
  const nonce = Number(await node.call<string>("eth_getTransactionCount", alice, "latest"));
  const target = getContractAddress({ from: alice as `0x${string}`, nonce: BigInt(nonce) });
  const failing = await node.call<string>("eth_sendTransaction", {
    from: eve,
    to: target,
    data: "0xdeadbeef",
    gas: "0x30000",
    maxFeePerGas: gwei(50),
    maxPriorityFeePerGas: gwei(1),
  });
  return { hashes: [creation, withList, legacy, failing], number };
}

async function linesOf(path: string): Promise<Json[]> {
  const bytes = await readFile(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Records one block of `mineBlock` with its pending sightings. */
async function recordBlock(options: Omit<RecordOptions, "out" | "pending"> & { out: string }) {
  const next = Number(await node.call<string>("eth_blockNumber")) + 1;
  let state = { pendingSightings: -1 };
  const recording = record({
    ...options,
    pending: true,
    fromBlock: next,
    toBlock: next,
    pollMs: 5,
    onProgress: (progress) => (state = progress),
  });
  recording.catch(() => undefined); // awaited below
  const until = async (holds: () => boolean) => {
    while (!holds()) await Promise.race([sleep(5), recording.then(() => Promise.reject(new Error("ended early")))]);
  };
  await until(() => state.pendingSightings === 0);
  const { hashes, number } = await mineBlock((count) => until(() => state.pendingSightings === count));
  await until(() => state.pendingSightings === hashes.length);
  await node.call("evm_mine");
  return { counts: await recording, hashes, number };
}

describe("record()", () => {
  it.each(["url", "wsUrl"] as const)("writes what the node's RPC gives, field by field, over %s", async (kind) => {
    const out = join(folder, `${kind}.ndjson.gz`);
    const before = Date.now();
    const { counts, hashes, number } = await recordBlock({ urls: [anvil[kind]], out });
    expect(counts).toEqual({ transactions: 4, blocks: 1, pendingSightings: 4, replaced: 0 });

    const lines = await linesOf(out);
    const [pending, mined] = [lines.slice(0, 4), lines.slice(4)];
    expect(pending.map(({ hash }) => hash)).toEqual(hashes);
    expect(mined.map(({ hash }) => hash)).toEqual(hashes);
    const block = await node.call<Json & { transactions: Json[] }>(
      "eth_getBlockByNumber",
      `0x${number.toString(16)}`,
      true,
    );
    for (const [index, line] of mined.entries()) {
      const {
        block: header,
        receipt,
        chainId,
        seenAt,
        ...fields
      } = line as { block: Json; receipt: Json & { logs: Json[] } } & Json;
      const { blockTimestamp: _, chainId: hexChainId, ...transaction } = block.transactions[index]!;
      expect(fields).toEqual(transaction);
      expect([chainId, hexChainId]).toEqual([31337, "0x7a69"]);
      expect(seenAt).toBe(pending[index]!.seenAt);
      expect(seenAt as number).toBeGreaterThanOrEqual(before);
      const { number, hash, parentHash, timestamp, miner, gasUsed, gasLimit, baseFeePerGas } = block;
      expect(header).toEqual({
        number,
        hash,
        parentHash,
        timestamp,
        miner,
        gasUsed,
        gasLimit,
        baseFeePerGas,
        transactionCount: 4,
      });
      const given = await node.call<Json>("eth_getTransactionReceipt", hashes[index]);
      const { status, cumulativeGasUsed, effectiveGasPrice, contractAddress, blobGasPrice } = given;
      expect(receipt).toEqual({
        status,
        gasUsed: given.gasUsed,
        cumulativeGasUsed,
        effectiveGasPrice,
        contractAddress,
        blobGasPrice,
        logs: [],
      });
    }
    for (const [index, line] of pending.entries()) {
      expect(line).not.toHaveProperty("block");
      expect(line).not.toHaveProperty("receipt");
      expect(line).toMatchObject({ blockNumber: null, blockHash: null, transactionIndex: null });
      const same = ["from", "to", "nonce", "value", "gas", "type", "input", "r", "s", "chainId"];
      expect(same.map((field) => line[field])).toEqual(same.map((field) => mined[index]![field]));
    }
    expect(mined.map(({ type }) => type)).toEqual(["0x2", "0x1", "0x0", "0x2"]);
    expect(mined.map(({ receipt }) => (receipt as Json).status)).toEqual(["0x1", "0x1", "0x1", "0x0"]);
    expect(mined.map(({ to }) => to === null)).toEqual([true, false, false, false]);
    expect(mined[1]!.accessList).toHaveLength(1);
  });

  it("goes on after its WebSocket broke", async () => {
    const line = await startTcpLine(Number(new URL(anvil.url).port));
    const url = `ws://127.0.0.1:${line.port}`;
    const out = join(folder, "broken.ndjson");
    const next = Number(await node.call<string>("eth_blockNumber")) + 1;
    let state = { pendingSightings: -1, block: null as number | null };
    const options = { urls: [url], out, pending: true, fromBlock: next, toBlock: next + 1, pollMs: 5 };
    const recording = record({ ...options, onProgress: (progress) => (state = progress) });
    const until = async (holds: () => boolean) => {
      while (!holds()) await Promise.race([sleep(5), recording.then(() => Promise.reject(new Error("ended early")))]);
    };
    try {
      await until(() => state.pendingSightings === 0);
      // Announcements are lost until the subscription stands again, so the second round sends until one is seen.
      for (const round of [1, 2]) {
        while (state.pendingSightings < round) {
          await node.call("eth_sendTransaction", { from: accounts[5], to: accounts[6], value: "0x1" });
          await Promise.race([until(() => state.pendingSightings >= round), sleep(200)]);
        }
        const connections = line.connections();
        await node.call("evm_mine");
        if (round === 2) break;
        await until(() => state.block === next);
        line.cut();
        await until(() => line.connections() > connections);
      }
      const counts = await recording;
      expect(counts.blocks).toBe(2);
      expect(counts.pendingSightings).toBeGreaterThanOrEqual(2);
      expect(counts.transactions).toBeGreaterThanOrEqual(counts.pendingSightings);
    } finally {
      line.stop();
    }
  });

  it("takes receipts one by one and reads the whole pool where the node offers no better way", async () => {
    const oldNode = await startRpcProxy(anvil.url, ({ method }) =>
      ["eth_getBlockReceipts", "eth_newPendingTransactionFilter"].includes(method)
        ? { error: { code: -32601, message: "the method is not available" } }
        : undefined,
    );
    try {
      const { counts, hashes } = await recordBlock({ urls: [oldNode.url], out: join(folder, "old.ndjson") });
      expect(counts).toEqual({ transactions: 4, blocks: 1, pendingSightings: 4, replaced: 0 });
      const lines = await linesOf(join(folder, "old.ndjson"));
      expect(lines.slice(4).map(({ hash, receipt }) => [hash, (receipt as Json).status])).toEqual(
        hashes.map((hash, index) => [hash, index === 3 ? "0x0" : "0x1"]),
      );
      expect(oldNode.asked.get("eth_getTransactionReceipt")).toBe(4);
      expect(oldNode.asked.get("txpool_content")).toBeGreaterThan(1);
    } finally {
      await oldNode.stop();
    }
  });

  it("ends with a complete file when the signal comes", async () => {
    const stop = new AbortController();
    const out = join(folder, "stopped.ndjson.gz");
    const counts = await record({
      urls: [anvil.url],
      out,
      pending: false,
      fromBlock: 0,
      pollMs: 5,
      signal: stop.signal,
      onProgress: ({ block }) => block === 1 && stop.abort(),
    });
    expect(await linesOf(out)).toHaveLength(counts.transactions);
    expect(counts.transactions).toBe(4);
  });

  it("keeps what it has when the node fails in between, and says what failed", async () => {
    const failing = await startRpcProxy(anvil.url, ({ method, params }) =>
      method === "eth_getBlockByNumber" && params[0] === "0x2"
        ? { error: { code: -32603, message: "disk is on fire" } }
        : undefined,
    );
    const out = join(folder, "failed.ndjson.gz");
    try {
      const recording = record({
        urls: [`${failing.url}/v3/secret-key`],
        out,
        pending: false,
        fromBlock: 0,
        toBlock: 2,
        retries: 0,
      });
      const error = await recording.then(
        () => null,
        (error: Error) => error,
      );
      expect(error!.message).toMatch(
        /^Cannot call "eth_getBlockByNumber" on "127\.0\.0\.1:\d+": error -32603, disk is on fire, expected an answer/,
      );
      expect(error!.message).not.toContain("secret-key");
      expect(await linesOf(out)).toHaveLength(4);
    } finally {
      await failing.stop();
    }
  });

  it.each(["http", "ws"])("says that the connection is refused (%s) and leaves no file", async (scheme) => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const out = join(folder, "refused.ndjson");
    const recording = record({ urls: [`${scheme}://127.0.0.1:${port}`], out, pending: false, toBlock: 1, retries: 0 });
    await expect(recording).rejects.toThrow(
      /Cannot call "eth_chainId" on "127\.0\.0\.1:\d+": .*(ECONNREFUSED|could not be opened).*, expected an answer; check the RPC URL/,
    );
    await expect(readFile(out)).rejects.toThrow("ENOENT");
  });

  it("goes to the next URL when one is down", async () => {
    const out = join(folder, "fallback.ndjson");
    const counts = await record({
      urls: ["http://127.0.0.1:1", anvil.url],
      out,
      pending: false,
      fromBlock: 1,
      toBlock: 1,
      retries: 0,
    });
    expect(counts.transactions).toBe(4);
  });

  it("never writes over a recording", async () => {
    const out = join(folder, "fallback.ndjson");
    await expect(record({ urls: [anvil.url], out, pending: false, toBlock: 1 })).rejects.toThrow(
      "the file exists already, expected a new file",
    );
  });
});
