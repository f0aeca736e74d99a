/** The WebSockets, from outside, each as its seed describes it. */
import { afterEach, describe, expect, test } from "vitest";
import { type Client, startLive, type TestLiveOptions, TOKEN } from "./testing/liveServer.ts";

const NOW = Date.UTC(2024, 0, 15, 10, 30, 0, 123);
let live: Awaited<ReturnType<typeof startLive>>;
afterEach(() => live.close());

const start = async (options: TestLiveOptions = {}): Promise<void> => {
  live = await startLive({ now: () => NOW, ...options });
};
const timestamp = "2024-01-15T10:30:00.123Z";
const opened = async (path: string): Promise<Client> => {
  const client = live.connect(path);
  await client.next();
  return client;
};
const alert = (more: Record<string, unknown> = {}) => ({ chain_id: 1, rule: "whale", severity: "high", ...more });

describe("/ws/v1/stream", () => {
  test("speaks seed 002's protocol, message by message", async () => {
    await start();
    const client = live.connect("/ws/v1/stream");
    expect(await client.next()).toEqual({
      type: "connected",
      connection_id: "ws_1",
      message: "Connected to Multi-Chain Arbitrage Monitor WebSocket",
    });
    client.send({ type: "subscribe", channel: "opportunities", filters: { chain_id: 56, min_profit: 10000, max_profit: 100000 } }); // biome-ignore format: as in the seed
    expect(await client.next()).toEqual({
      type: "subscribed",
      channel: "opportunities",
      filters: { chain_id: 56, min_profit: 10000, max_profit: 100000 },
    });
    client.send({ type: "subscribe", channel: "transactions", filters: { chain_id: 137, min_profit: 5000, min_swaps: 3 } }); // biome-ignore format: as in the seed
    expect(await client.next()).toMatchObject({ type: "subscribed", channel: "transactions" });

    const opportunity = { id: 12345, chain_id: 56, pool_name: "WBNB-BUSD", profit_usd: 15000.5, captured: false };
    live.publish("opportunities", "opportunity", [
      { ...opportunity, chain_id: 137 },
      { ...opportunity, profit_usd: 9_999 },
      { ...opportunity, profit_usd: 100_001 },
      { ...opportunity, profit_usd: null },
      opportunity,
    ]);
    expect(await client.next()).toEqual({ type: "opportunity", timestamp, data: opportunity });
    const transaction = { id: 67890, chain_id: 137, swap_count: 3, strategy: "3-hop", profit_net_usd: 5_000 };
    live.publish("arbitrages", "transaction", [{ ...transaction, swap_count: 2 }, transaction]);
    expect(await client.next()).toEqual({ type: "transaction", timestamp, data: transaction });

    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong", timestamp });
    live.beat();
    expect(await client.next()).toEqual({ type: "heartbeat", timestamp });
    client.send({ type: "subscribe", channel: "invalid_channel" });
    expect(await client.next()).toEqual({
      type: "error",
      message: "Invalid channel: invalid_channel. Must be 'opportunities' or 'transactions'",
    });
    client.send({ type: "unsubscribe", channel: "opportunities" });
    expect(await client.next()).toEqual({ type: "unsubscribed", channel: "opportunities" });
    live.publish("opportunities", "opportunity", [opportunity]);
    live.publish("arbitrages", "transaction", [{ ...transaction, id: 2 }]);
    expect(await client.next()).toMatchObject({ type: "transaction", data: { id: 2 } });
    expect(client.received).toEqual([]);
  });

  test.each([
    ["{", 'Invalid JSON: expected an object such as {"type": "ping"}'],
    ["[1]", 'Invalid JSON: expected an object such as {"type": "ping"}'],
    [{}, "Missing type. Must be 'subscribe', 'unsubscribe', 'ping' or 'auth'"],
    [{ type: "buy" }, "Unknown message type: buy. Must be 'subscribe', 'unsubscribe', 'ping' or 'auth'"],
    [{ type: 7 }, "Unknown message type: 7. Must be 'subscribe', 'unsubscribe', 'ping' or 'auth'"],
    [
      `{"type":"subscribe","channel":${"[".repeat(8_000)}${"]".repeat(8_000)}}`,
      "Invalid message: it is nested deeper than 64 levels, expected at most that",
    ],
    [{ type: "subscribe" }, "Missing channel. Must be 'opportunities' or 'transactions'"],
    [
      { type: "subscribe", channel: "toString" },
      "Invalid channel: toString. Must be 'opportunities' or 'transactions'",
    ],
    [{ type: "unsubscribe", channel: 7 }, "Invalid channel: 7. Must be 'opportunities' or 'transactions'"],
    [
      { type: "subscribe", channel: "opportunities", filters: [] },
      'Invalid filters: expected an object such as {"chain_id": 1}',
    ],
    [
      { type: "subscribe", channel: "opportunities", filters: { min_swaps: 2 } },
      "Unknown filter: min_swaps. Must be 'chain_id', 'min_profit', 'max_profit'",
    ],
    [{ type: "subscribe", channel: "transactions", filters: { chain_id: "bsc" } }, "Invalid chain_id: Invalid input"],
    [
      { type: "subscribe", channel: "transactions", filters: { min_profit: 2, max_profit: 1 } },
      "Invalid max_profit: 1 is below min_profit 2, so nothing would ever pass",
    ],
  ])("answers %j with what is wrong and how it must be, and goes on", async (message, wrong) => {
    await start();
    const client = await opened("/ws/v1/stream");
    client.send(message);
    expect(await client.next()).toEqual({ type: "error", message: wrong });
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong", timestamp });
  });

  test("a message that is too large, one that is far too large, and a binary one", async () => {
    await start();
    const client = await opened("/ws/v1/stream");
    client.send("x".repeat(20_000));
    expect(await client.next()).toMatchObject({
      message: "Invalid message: it has 20000 bytes, expected at most 16384",
    });
    client.ws.send(Buffer.from([1]));
    expect(await client.next()).toMatchObject({ message: "Invalid message: it is binary, expected JSON as text" });
    client.send("x".repeat(300_000));
    expect((await client.closed).code).toBe(1009);
  });
});

test("one connection too many is closed with 1008, and there is room again when one has gone", async () => {
  await start({ maxConnections: 2 });
  const [first] = [await opened("/ws/v1/stream"), await opened("/ws/v1/stream")];
  const refused = live.connect("/ws/v1/stream");
  expect(await refused.closed).toEqual({ code: 1008, reason: "At capacity: 2 connections. Try again later" });
  expect(refused.received).toEqual([]);
  expect(await live.metrics.text()).toContain("websocket_connections_active 2");
  first.ws.close();
  await first.closed;
  await opened("/ws/v1/stream");
});

test("a connection that has not answered since the last heartbeat is closed, others are not", async () => {
  await start();
  const [silent, alive] = [await opened("/ws/v1/stream"), await opened("/ws/v1/stream")];
  silent.ws.pause(); // it does not see pings, so it does not answer them
  live.beat();
  expect(await alive.next()).toEqual({ type: "heartbeat", timestamp });
  alive.send({ type: "ping" });
  await alive.next(); // its answer to the ping of the WebSocket layer came before
  live.beat();
  silent.ws.resume();
  expect((await silent.closed).code).toBe(1006);
  expect(await alive.next()).toEqual({ type: "heartbeat", timestamp });
});

describe("other paths", () => {
  test("/ws/{client-id}: kinds of events, one set of filters (seed 000)", async () => {
    await start();
    const client = live.connect("/ws/your-client-id");
    expect(await client.next()).toMatchObject({ type: "connected", client_id: "your-client-id" });
    const filters = { chain_id: 1, min_value: "1000000000000000000" };
    client.send({ type: "subscribe", events: ["transactions", "alerts", "mev_opportunities"], filters });
    expect(await client.next()).toEqual({ type: "subscribed", events: ["transactions", "alerts", "mev_opportunities"], filters }); // biome-ignore format: one line
    live.publish("transactions", "transaction", [
      { chain_id: 1, value_raw: "999999999999999999" },
      { chain_id: 1, value_raw: "1000000000000000000" },
    ]);
    expect(await client.next()).toMatchObject({ type: "transaction", data: { value_raw: "1000000000000000000" } });
    live.publish("alerts", "alert", [alert({ chain_id: 56 }), alert()]);
    expect(await client.next()).toMatchObject({ type: "alert", data: { chain_id: 1 } });
    live.publish("mev_opportunities", "mev_opportunity", [{ chain_id: 1, kind: "sandwich" }]);
    expect(await client.next()).toMatchObject({ type: "mev_opportunity", data: { kind: "sandwich" } });
    client.send({ type: "unsubscribe", events: ["alerts"] });
    expect(await client.next()).toEqual({ type: "unsubscribed", events: ["alerts"] });
    client.send({ type: "subscribe", events: ["news"] });
    expect(await client.next()).toEqual({
      type: "error",
      message: "Invalid events. Must be a list of 'transactions', 'alerts' or 'mev_opportunities'",
    });
  });

  test("/ws: authentication and subscription as messages with data (seed 004)", async () => {
    await start();
    const client = live.connect("/ws");
    expect(await client.next()).toEqual({ type: "status", data: { status: "connected", connection_id: "ws_1" } });
    client.send({ type: "auth", data: { token: TOKEN } });
    expect(await client.next()).toEqual({ type: "auth", data: { status: "authenticated" } });
    const filters = { confidence_threshold: 0.7 };
    client.send({ type: "subscribe", data: { type: "all_alerts", filters } });
    expect(await client.next()).toEqual({
      type: "subscribe",
      data: { type: "all_alerts", status: "subscribed", filters },
    });
    live.publish("alerts", "alert", [alert()]);
    expect(await client.next()).toEqual({ type: "alert", timestamp, data: alert() });
    client.send({ type: "auth", data: { token: "another" } });
    expect((await client.closed).code).toBe(1008);
  });

  test("/ws/alerts and /ws/status: who connects has subscribed; bare rows are rows (seeds 001, 003)", async () => {
    await start();
    const client = live.connect("/ws/alerts?format=bare&severity=high&chain_id=1");
    const status = live.connect("/ws/status");
    expect(await status.next()).toMatchObject({ type: "connected" });
    expect(await status.next()).toMatchObject({ type: "status", data: { status: "healthy" } });
    live.publish("alerts", "alert", [alert({ severity: "low" }), alert()]);
    expect(await client.next()).toEqual(alert());
  });

  test("early alerts are for those who ask for them, behind the same filters", async () => {
    await start();
    const early = await opened("/ws/alerts?early=true&severity=high");
    const plain = await opened("/ws/alerts?early=false");
    live.publish("early_alerts", "alert", [alert({ severity: "low", early: true }), alert({ early: true })]);
    expect(await early.next()).toEqual({ type: "alert", timestamp, data: alert({ early: true }) });
    live.publish("alerts", "alert", [alert()]);
    for (const client of [early, plain])
      expect(await client.next()).toEqual({ type: "alert", timestamp, data: alert() });
  });

  test("what takes back an alert reaches whoever may have got it; a block's word is for its chain", async () => {
    await start();
    const client = await opened("/ws/alerts?chain_id=1&address=0x00000000000000000000000000000000000000aa");
    const retracted = { id: "a", chain_id: 1, rule: "whale", status: "retracted" };
    live.publish("alerts", "alert", [{ ...retracted, chain_id: 2 }, retracted]);
    expect(await client.next()).toMatchObject({ type: "alert", data: retracted });
    const monitor = await opened("/ws/v1/stream");
    monitor.send({ type: "subscribe", channel: "transactions", filters: { chain_id: 1, min_profit: 5 } });
    await monitor.next();
    live.publish("arbitrages", "block", [{ chain_id: 2, status: "retracted" }, { chain_id: 1, status: "retracted" }]); // biome-ignore format: one line
    expect(await monitor.next()).toMatchObject({ type: "block", data: { chain_id: 1, status: "retracted" } });
  });

  test.each([
    ["/ws/v1", 404, "There is no stream at /ws/v1"],
    ["/elsewhere", 404, "There is no stream at /elsewhere"],
    ["/ws/alerts?rul=x", 404, "Unknown filter: rul"],
    ["/ws/alerts?format=xml", 404, "Invalid format. Must be 'envelope' or 'bare'"],
    ["/ws/alerts?early=soon", 404, "Invalid early. Must be 'true' or 'false'"],
    ["/ws/transactions?early=true", 404, "Unknown filter: early"],
    ["/ws/v1/stream?token=secret", 404, "There is no parameter token here"],
    ["/ws?on_slow=wait", 404, "Invalid on_slow. Must be 'disconnect' or 'drop'"],
  ])("%s is refused with %i", async (path, status, detail) => {
    await start();
    const answer = await live.connect(path).refused;
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, detail: expect.stringContaining(detail) });
  });

  test("a page of another origin, and another host's name, are refused; our own page is not", async () => {
    await start();
    expect((await live.connect("/ws", { origin: "https://evil.example" }).refused).status).toBe(403);
    expect((await live.connect("/ws", { host: "evil.example" }).refused).status).toBe(403);
    expect(await live.connect("/ws", { origin: `http://${live.address}` }).next()).toMatchObject({ type: "status" });
  });
});

describe("where nobody may read without saying who they are", () => {
  test("a header, a ticket, once, or the first message says it", async () => {
    await start({ anonymous: null });
    const withHeader = live.connect("/ws/alerts", { authorization: `Bearer ${TOKEN}` });
    expect(await withHeader.next()).toMatchObject({ type: "connected" });
    const wrong = await live.connect("/ws/alerts", { authorization: "Bearer another" }).refused;
    expect(wrong.status).toBe(401);

    const principal = { name: "alice", role: "viewer", kind: "session", via: null, id: "user 1", userId: 1 } as const;
    const { ticket } = await live.tickets.issue(principal);
    expect(await live.connect(`/ws/alerts?ticket=${ticket}`).next()).toMatchObject({ type: "connected" });
    expect((await live.connect(`/ws/alerts?ticket=${ticket}`).refused).status).toBe(401);

    const stranger = live.connect("/ws/v1/stream");
    await new Promise((resolve) => stranger.ws.once("open", resolve));
    stranger.send({ type: "subscribe", channel: "opportunities" });
    expect(await stranger.next()).toEqual({
      type: "error",
      message: 'Not authenticated: send {"type": "auth", "data": {"token": "…"}} first',
    });
    live.publish("opportunities", "opportunity", [{ id: 1 }]);
    stranger.send({ type: "auth", token: TOKEN });
    expect(await stranger.next()).toEqual({ type: "auth", data: { status: "authenticated" } });
    expect(await stranger.next()).toMatchObject({ type: "connected" });
    stranger.send({ type: "subscribe", channel: "opportunities" });
    expect(await stranger.next()).toMatchObject({ type: "subscribed" });

    const guessing = live.connect("/ws");
    await new Promise((resolve) => guessing.ws.once("open", resolve));
    guessing.send({ type: "auth", data: { token: "a guess" } });
    expect((await guessing.closed).code).toBe(1008);
    expect(guessing.received).toEqual([]);
  });
});

describe("a client that does not read", () => {
  const limits = { events: 1_000, bytes: 1 << 20 };
  /**
   * 40 MB in all, in pieces of 1 MB with a turn of the event loop after each, to a client that reads nothing of it;
   * the next piece when `beside` has read the one before, however busy the machine is.
   */
  async function flood(client: Client, beside?: Client): Promise<number> {
    client.ws.pause();
    const row = alert({ message: "x".repeat(10_000) });
    const before = beside?.received.length ?? 0;
    let most = 0;
    for (let i = 0; i < 40; i++) {
      live.publish(
        "alerts",
        "alert",
        Array.from({ length: 100 }, (_, n) => ({ ...row, n: 100 * i + n })),
      );
      do await new Promise((resolve) => setTimeout(resolve, 2));
      while (beside !== undefined && beside.received.length < before + 100 * (i + 1));
      most = Math.max(most, live.hub.ring("alerts").bytes);
    }
    return most;
  }

  test("costs no more than the ring, loses its connection, and delays nobody", async () => {
    await start({ limits });
    const [stuck, reading] = [await opened("/ws/alerts"), await opened("/ws/alerts?on_slow=drop")];
    expect(await flood(stuck, reading)).toBeLessThanOrEqual(limits.bytes);
    const seen = new Set<unknown>();
    for (let last: unknown; last !== 3_999; ) {
      const { type, data } = (await reading.next()) as { type: string; data: { n: number } };
      expect(type).toBe("alert");
      seen.add((last = data.n));
    }
    expect(seen.size).toBe(4_000);
    stuck.ws.resume();
    const { code, reason } = await stuck.closed;
    expect(code).toBe(1013);
    expect(reason).toMatch(/^Too slow: \d+ events were gone/);
    expect(stuck.received.length).toBeLessThan(2_000); // what the kernel's buffers held
  });

  test("loses its oldest events where it chose that, and is told how many", async () => {
    await start({ limits });
    const stuck = await opened("/ws/alerts?on_slow=drop");
    await flood(stuck);
    stuck.ws.resume();
    let [got, dropped] = [0, 0];
    for (let last: unknown; last !== 3_999; ) {
      const message = (await stuck.next()) as { type: string; count: number; data: { n: number } };
      if (message.type === "dropped") dropped += message.count;
      else {
        got++;
        last = message.data.n;
      }
    }
    expect(dropped).toBeGreaterThan(1_000);
    expect(got + dropped).toBe(4_000);
  });
});
