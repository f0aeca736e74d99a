/** A chain through its nodes, on a real node: what is verified, what happens when a node dies or lies, and reorganisations. */
import { parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RpcObject } from "../engine/source/recordingLine.ts";
import type { RpcMeters } from "../engine/source/rpc/endpoints.ts";
import { type Chain, type ChainEvent, type ChainOptions, openChain } from "../engine/source/rpc/follow.ts";
import type { BlockRef } from "../engine/source/rpc/readBlock.ts";
import { createTestNode } from "./recordings/make/node.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { type Meddle, type RpcProxy, startRpcProxy } from "./support/rpcProxy.ts";
import { startTcpLine } from "./support/tcpLine.ts";

let anvil: Anvil;
let node: ReturnType<typeof createTestNode>;
let accounts: string[];
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  anvil = await startAnvil({ args: ["--no-mining", "--order", "fees"] });
  node = createTestNode(anvil.url);
  accounts = await node.call<string[]>("eth_accounts");
});
afterAll(() => anvil?.stop());
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const head = async (): Promise<number> => Number(await node.call<string>("eth_blockNumber"));
const send = (from: number, more: object = {}): Promise<string> =>
  node.call("eth_sendTransaction", { from: accounts[from], to: accounts[9], value: "0x1", ...more });

/** Mines blocks of `count` transactions, and answers with their hashes. */
async function mine(blocks: number, count = 3): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    for (let index = 0; index < count; index++) await send(index);
    await node.call("evm_mine");
  }
}

async function proxied(meddle?: Meddle): Promise<RpcProxy> {
  const proxy = await startRpcProxy(anvil.url, meddle);
  opened.push({ close: () => proxy.stop() });
  return proxy;
}

/** A follower that does not wait between attempts, but by the clock of its breakers. */
async function follow(options: Partial<ChainOptions> & { urls: string[] }) {
  const errors: string[] = [];
  const meters: RpcMeters = { latency: () => {}, error: (type) => errors.push(type) };
  const clock = { ms: 0 };
  const chain = await openChain({
    ...{ pollMs: 5, meters, now: () => clock.ms, wait: async (ms) => void (clock.ms += ms) },
    ...options,
  });
  opened.push(chain);
  return { chain, errors, clock };
}

/** Events up to and with block `last`. */
async function until(chain: Chain, last: number): Promise<ChainEvent[]> {
  const events: ChainEvent[] = [];
  for await (const event of chain.events()) {
    events.push(event);
    if (event.kind === "block" && event.number === last) break;
  }
  return events;
}

/** The next event of a kind; others are passed over. */
function nextOf(chain: Chain): (kind: ChainEvent["kind"]) => Promise<ChainEvent> {
  const events = chain.events();
  return async (kind) => {
    for (;;) {
      const { value } = await events.next();
      if (value?.kind === kind) return value;
    }
  };
}

/** `5:hash`, `-5:hash` for one that is replaced. */
const brief = (events: ChainEvent[]): string[] =>
  events.flatMap((event) => {
    const ref = ({ number, hash }: BlockRef) => `${number}:${hash.slice(0, 10)}`;
    if (event.kind === "block") return [ref(event)];
    return event.kind === "reorg" ? event.replaced.map((block) => `-${ref(block)}`) : [];
  });
/** What the node has in a range now. */
const canonical = async (from: number, to: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: to - from + 1 }, async (_, index) => {
      const tag = `0x${(from + index).toString(16)}`;
      const { hash } = await node.call<{ hash: string }>("eth_getBlockByNumber", tag, false);
      return `${from + index}:${hash.slice(0, 10)}`;
    }),
  );

describe("a block", () => {
  it("is proven by its header and roots, with transactions of every type that needs no blob", async () => {
    const account = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    const [authority] = [privateKeyToAccount(`0x${"11".repeat(32)}`)];
    const authorization = await authority!.signAuthorization({ address: account.address, chainId: 31337, nonce: 0 });
    const raw = await account.signTransaction({
      ...{
        type: "eip7702",
        chainId: 31337,
        to: accounts[3] as never,
        gas: 100_000n,
        authorizationList: [authorization],
      },
      ...{ nonce: Number(await node.call("eth_getTransactionCount", account.address, "latest")) },
      ...{ maxFeePerGas: parseGwei("90"), maxPriorityFeePerGas: parseGwei("9") },
    });
    await node.call("eth_sendRawTransaction", raw);
    await send(1, { gasPrice: "0x77359400" });
    await send(2, {
      gasPrice: "0x77359400",
      accessList: [{ address: accounts[4], storageKeys: [`0x${"0".repeat(64)}`] }],
    });
    await send(3);
    await send(4, { to: null, data: "0x60006000a0600160006000a1", gas: "0x30000" }); // LOG0, then LOG1 of topic 1
    await send(5, { to: null, data: "0x60006000fd", gas: "0x30000" }); // reverts
    await node.call("evm_mine");
    const last = await head();
    const { chain } = await follow({ urls: [anvil.url], fromBlock: last, toBlock: last });
    const [event] = await until(chain, last);
    expect(event).toMatchObject({ kind: "block", proof: "proven" });
    const { transactions, receipts } = event as { transactions: RpcObject[]; receipts: RpcObject[] } & ChainEvent;
    expect(transactions.map(({ type }) => type).sort()).toEqual(["0x0", "0x1", "0x2", "0x2", "0x2", "0x4"]);
    expect(receipts.flatMap(({ logs }) => logs)).toHaveLength(2);
    expect(receipts.filter(({ status }) => status === "0x0")).toHaveLength(1);
  });
});

describe("a node that lies", () => {
  /** Changes what a node answers to one method about one block. */
  const about = (method: string, change: (result: never) => unknown): Meddle => {
    return async (call, ask) => (call.method === method ? { result: change((await ask()) as never) } : undefined);
  };
  const receipts = (change: (receipts: RpcObject[]) => unknown) => about("eth_getBlockReceipts", change);
  const block = (change: (block: RpcObject) => unknown) =>
    about("eth_getBlockByNumber", (result: RpcObject | null) => result && change(result));
  const hash = `0x${"ab".repeat(32)}`;

  it.each<[lie: string, meddle: Meddle, kind: string]>([
    ["leaves receipts out", receipts((list) => list.slice(1)), "lie_receipts"],
    ["gives none", receipts(() => []), "lie_receipts"],
    [
      "gives receipts of another block",
      receipts((list) => list.map((one) => ({ ...one, blockHash: hash }))),
      "lie_receipts",
    ],
    ["gives them in another order", receipts((list) => list.toReversed()), "lie_receipts"],
    ["changes a status", receipts(([first, ...rest]) => [{ ...first, status: "0x0" }, ...rest]), "lie_root"],
    [
      "adds a log",
      receipts(([first, ...rest]) => [{ ...first, logs: [{ address: accounts[1], topics: [], data: "0x" }] }, ...rest]),
      "lie_root",
    ],
    [
      "changes a value",
      block((given) => ({
        ...given,
        transactions: (given.transactions as RpcObject[]).map((one) => ({ ...one, value: "0x2" })),
      })),
      "lie_root",
    ],
    ["leaves transactions out", block((given) => ({ ...given, transactions: [] })), "lie_root"],
    ["gives another block", block((given) => ({ ...given, number: "0x1" })), "lie_block_number"],
    ["changes the header", block((given) => ({ ...given, miner: accounts[3] })), "lie_header"],
    ["changes the block's hash", block((given) => ({ ...given, hash })), "lie_transactions"],
    ["is of another chain", about("eth_chainId", () => "0x1"), "lie_chain_id"],
  ])("%s: another is asked, and it is left alone", async (_, meddle, kind) => {
    const from = (await head()) + 1;
    await mine(2);
    const liar = await proxied(meddle);
    const { chain, errors } = await follow({ urls: [liar.url, anvil.url], chainId: 31337, fromBlock: from });
    expect(brief(await until(chain, from + 1))).toEqual(await canonical(from, from + 1));
    expect(new Set(errors)).toEqual(new Set([kind]));
    expect(chain.endpoints.states().map(({ state }) => state)).toEqual(["set_aside", "closed"]);
  });

  it("contradicts the block before, without having replaced it: it is no reorganisation", async () => {
    const from = (await head()) + 1;
    await mine(3);
    const at = `0x${(from + 2).toString(16)}`;
    const liar = await proxied(async ({ method, params }, ask) => {
      if (method === "eth_chainId") return { result: "0x89" }; // a chain whose headers are not hashed: links alone tell
      const result = (await ask()) as RpcObject;
      const lies = method === "eth_getBlockByNumber" && params[0] === at;
      return lies ? { result: { ...result, parentHash: hash } } : undefined;
    });
    const { chain, errors } = await follow({ urls: [liar.url], fromBlock: from, retries: 0 });
    await expect(until(chain, from + 2)).rejects.toThrow(/Cannot believe the node .*block \d+ has the parent/);
    expect(errors).toContain("lie_parent");
  });

  it("is the only one: the error says what it said, and after ten minutes it is tried again", async () => {
    const from = (await head()) + 1;
    await mine(1);
    const liar = await proxied(receipts(() => []));
    const { chain, clock } = await follow({ urls: [liar.url], fromBlock: from });
    await expect(until(chain, from)).rejects.toThrow(
      /Cannot believe the node "127\.0\.0\.1:\d+": block \d+ has 3 transactions and 0 receipts, expected one each/,
    );
    liar.meddle(() => undefined);
    await expect(until(chain, from)).rejects.toThrow(
      /none of 1 is usable now, expected one: .*3 transactions and 0 receipts/,
    );
    clock.ms += 10 * 60_000;
    expect(brief(await until(chain, from))).toEqual(await canonical(from, from));
  });
});

describe("a node that dies", () => {
  it("in the middle of a block: the other one gives it, nothing twice, nothing missing", async () => {
    const from = (await head()) + 1;
    await mine(6);
    let calls = 0;
    const dying = await proxied(({ method }) =>
      method === "eth_getBlockReceipts" && ++calls > 2 ? "hang up" : undefined,
    );
    const { chain, errors } = await follow({ urls: [dying.url, anvil.url], fromBlock: from });
    expect(brief(await until(chain, from + 5))).toEqual(await canonical(from, from + 5));
    expect(new Set(errors)).toEqual(new Set(["connection"]));
  });

  it("is alone: it is asked again until it is back", async () => {
    const from = (await head()) + 1;
    await mine(2);
    let calls = 0;
    const flaky = await proxied(({ method }) =>
      method === "eth_getBlockReceipts" && ++calls <= 3 ? "hang up" : undefined,
    );
    const { chain } = await follow({ urls: [flaky.url], fromBlock: from, ahead: 1 });
    expect(brief(await until(chain, from + 1))).toEqual(await canonical(from, from + 1));
    expect(calls).toBe(5);
  });

  it("fails five times in a row: it is left alone for a minute, then tried once", async () => {
    const from = (await head()) + 1;
    await mine(1);
    const broken = await proxied();
    const { chain, clock } = await follow({ urls: [broken.url], fromBlock: from, retries: 6 });
    broken.meddle(() => "hang up");
    await expect(until(chain, from)).rejects.toThrow("Cannot call");
    expect(chain.endpoints.states()).toMatchObject([{ state: "open" }]);
    expect(broken.asked.get("eth_getBlockByNumber")).toBe(5);
    broken.meddle(() => undefined);
    clock.ms += 60_000;
    expect(brief(await until(chain, from))).toEqual(await canonical(from, from));
    expect(chain.endpoints.states()).toMatchObject([{ state: "closed" }]);
  });

  it("falls silent on an open WebSocket: it is dialled again, and blocks and pending transactions go on", async () => {
    const line = await startTcpLine(Number(new URL(anvil.url).port));
    opened.push({ close: async () => line.stop() });
    const url = `ws://127.0.0.1:${line.port}`;
    const { chain } = await follow({ urls: [url], pending: true, timeoutMs: 3_000, now: () => performance.now() });
    const next = nextOf(chain);
    expect(await next("pending_source")).toMatchObject({ healthy: true, via: "subscription" });
    const first = await send(1);
    expect(await next("pending")).toMatchObject({ sightings: [{ transaction: { hash: first } }] });
    await node.call("evm_mine");
    expect(await next("block")).toMatchObject({ number: await head() });
    line.silence();
    await node.call("evm_mine");
    expect(await next("pending_source")).toMatchObject({ healthy: false });
    expect(await next("block")).toMatchObject({ number: await head() });
    expect(await next("pending_source")).toMatchObject({ healthy: true });
    const second = await send(1);
    expect(await next("pending")).toMatchObject({ sightings: [{ transaction: { hash: second } }] });
    expect(line.connections()).toBeGreaterThan(1);
    await node.call("evm_mine");
  });

  it("lags behind: the other one is asked for what it does not have", async () => {
    const from = (await head()) + 1;
    const lagging = await proxied(async ({ method, params }) => {
      if (method === "eth_blockNumber") return { result: `0x${from.toString(16)}` };
      return method === "eth_getBlockByNumber" && Number(params[0]) > from ? { result: null } : undefined;
    });
    await mine(3);
    const { chain } = await follow({ urls: [lagging.url, anvil.url], fromBlock: from });
    expect(brief(await until(chain, from + 2))).toEqual(await canonical(from, from + 2));
  });
});

describe("a reorganisation", () => {
  /** Replaces the last blocks by others, of other transactions, and adds one on top. */
  async function replace(depth: number): Promise<void> {
    await node.call("anvil_reorg", depth, []);
    await send(7, { value: "0x2" });
    await node.call("evm_mine");
  }

  it.each([
    [1, "url"],
    [2, "url"],
    [2, "wsUrl"],
    [5, "url"],
  ] as const)(
    "of depth %i is noticed over %s; the blocks in the place of the replaced ones follow",
    async (depth, kind) => {
      const from = (await head()) + 1;
      await mine(6);
      const { chain } = await follow({ urls: [anvil[kind]], fromBlock: from });
      const before = brief(await until(chain, from + 5));
      await replace(depth);
      const after = brief(await until(chain, from + 6));
      const replaced = before.slice(6 - depth).map((block) => `-${block}`);
      expect(after).toEqual([...replaced, ...(await canonical(from + 6 - depth, from + 6))]);
      expect(after.slice(depth, 2 * depth)).not.toEqual(before.slice(6 - depth));
    },
  );

  it("may follow another, and reach below it", async () => {
    const from = (await head()) + 1;
    await mine(5);
    const { chain } = await follow({ urls: [anvil.url], fromBlock: from });
    const first = brief(await until(chain, from + 4));
    await replace(1);
    const second = brief(await until(chain, from + 5)).slice(1);
    await replace(4);
    expect(brief(await until(chain, from + 6))).toEqual([
      ...[...first.slice(2, 4), ...second].map((block) => `-${block}`),
      ...(await canonical(from + 2, from + 6)),
    ]);
    expect(chain.blocks().map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => from + n));
  });

  it("across a restart is noticed by what the run before knew", async () => {
    const from = (await head()) + 1;
    await mine(4);
    const first = await follow({ urls: [anvil.url], fromBlock: from });
    const before = brief(await until(first.chain, from + 3));
    const known = first.chain.blocks();
    await replace(2);
    const second = await follow({ urls: [anvil.url], known });
    expect(brief(await until(second.chain, from + 4))).toEqual([
      ...before.slice(2).map((block) => `-${block}`),
      ...(await canonical(from + 2, from + 4)),
    ]);
  });

  it("that replaces all that a young run has begins again at its first block", async () => {
    const from = (await head()) + 1;
    await mine(3);
    const { chain } = await follow({ urls: [anvil.url], fromBlock: from + 2 });
    const before = brief(await until(chain, from + 2));
    await replace(3);
    expect(brief(await until(chain, from + 3))).toEqual([`-${before[0]}`, ...(await canonical(from + 2, from + 3))]);
  });

  it("deeper than may be is an error that says what to do", async () => {
    const from = (await head()) + 1;
    await mine(4);
    const { chain } = await follow({ urls: [anvil.url], fromBlock: from, reorgDepth: 3 });
    await until(chain, from + 3);
    await replace(3);
    await expect(until(chain, from + 4)).rejects.toMatchObject({
      message: `Cannot follow the chain past block "${from + 3}": the blocks ${from + 1} to ${from + 3} were replaced, expected fewer than 3 at once`,
      next: expect.stringContaining("WEIR_REORG_DEPTH"),
    });
  });

  it("between the reading of a block and of its receipts is nobody's lie", async () => {
    const from = (await head()) + 1;
    await mine(2);
    let replaced = false;
    const proxy = await proxied(async ({ method }) => {
      if (method !== "eth_getBlockReceipts" || replaced) return undefined;
      replaced = true;
      await node.call("anvil_reorg", 2, [[{ from: accounts[2], to: accounts[3], value: "0x5" }, 0]]);
      return undefined;
    });
    const { chain, errors } = await follow({ urls: [proxy.url], fromBlock: from });
    expect(brief(await until(chain, from + 1))).toEqual(await canonical(from, from + 1));
    expect(errors).toEqual([]);
  });
});

describe("openChain()", () => {
  it("refuses what it cannot use", async () => {
    await expect(openChain({ urls: [] })).rejects.toThrow(
      "Cannot connect to a node: 0 RPC URLs given, expected 1 to 16",
    );
    await expect(openChain({ urls: [anvil.url], fromBlock: 2, toBlock: 1 })).rejects.toThrow(
      'Cannot read blocks "2" to "1": the range is empty, expected fromBlock <= toBlock',
    );
    await expect(openChain({ urls: [anvil.url], fromBlock: -1 })).rejects.toThrow('Cannot start at fromBlock "-1"');
    const known = [1, 3].map((number) => ({ number, hash: `0x${"0".repeat(64)}` }));
    await expect(openChain({ urls: [anvil.url], known })).rejects.toThrow('Cannot go on at block "3"');
  });
});

describe("pending transactions", () => {
  it("come from another node when the first one dies, and it is said when there was none", async () => {
    const dying = await proxied();
    const { chain } = await follow({ urls: [dying.url, anvil.url], pending: true });
    const next = nextOf(chain);
    expect(await next("pending_source")).toMatchObject({ healthy: true, via: "filter" });
    const first = await send(1);
    expect(await next("pending")).toMatchObject({ sightings: [{ transaction: { hash: first } }] });
    dying.meddle(({ method }) =>
      method === "eth_getFilterChanges" || method.includes("Filter") ? "hang up" : undefined,
    );
    expect(await next("pending_source")).toMatchObject({
      healthy: false,
      reason: expect.stringContaining("Cannot call"),
    });
    expect(await next("pending_source")).toMatchObject({ healthy: true });
    const second = await send(1);
    expect(await next("pending")).toMatchObject({ sightings: [{ transaction: { hash: second } }] });
    await node.call("evm_mine");
    expect(await next("block")).toMatchObject({ number: await head() });
  });
});
