/** Alerts in a real store to real servers on loopback that take, refuse, delay and drop. */
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "../../clickhouse/client.ts";
import { openEmbedded } from "../../clickhouse/embedded/open.ts";
import { migrate } from "../../clickhouse/migrate.ts";
import { LOOPBACK } from "../../engine/access/ranges.ts";
import { sql } from "../../engine/control/drizzle.ts";
import { migrateControl } from "../../engine/control/migrate.ts";
import { type Control, openControl } from "../../engine/control/open.ts";
import { createSecrets } from "../../engine/control/secrets.ts";
import { createLabelStore } from "../../engine/label/labels.ts";
import { createDeadMansSwitch } from "../../engine/lookout/deadMansSwitch.ts";
import type { Channel as WatchedChannel } from "../../engine/lookout/silence.ts";
import { loadConfig } from "../../engine/ops/config.ts";
import { createLog } from "../../engine/ops/log.ts";
import { createMetrics } from "../../engine/ops/metrics.ts";
import { createTopicEvents, type TopicValue } from "../live/topicEvents.ts";
import type { ChannelKind } from "./kinds/all.ts";
import { KINDS } from "./kinds/all.ts";
import { policySchema } from "./policy.ts";
import { createNotifications, type Notifications } from "./start.ts";

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

let folder: string;
let store: Store;
let control: Control;
let http: Server;
let smtp: SMTPServer;
let origin: string;
let release: () => Promise<void>;
let at = new Date("2026-01-05T12:00:00Z");
let notifications: Notifications;
const received: Received[] = [];
const mails: { to: string[]; text: string }[] = [];
/** What the next requests to a path are answered, first to last; then 200. */
const answers = new Map<
  string,
  (number | "drop" | { status: number; headers?: Record<string, string>; body?: string })[]
>();
/** Requests after so many are not answered. */
let holdFrom: number | undefined;
/** What happens while a request is looked at. */
let meanwhile = async (): Promise<void> => {};
const SILENT_AFTER = { seconds: 300, byChain: {} };
const SECRET = `whsec_${randomBytes(24).toString("base64")}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-notify-"));
  const child = await openEmbedded({ folder, idleMs: 30_000 });
  store = await openStore({ folder });
  control = openControl({ folder });
  await migrate(store);
  await migrateControl(control);

  http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url!;
    const next = answers.get(path)?.shift() ?? 200;
    if (next === "drop") return void request.socket.destroy();
    const held = holdFrom !== undefined && received.length >= holdFrom;
    received.push({
      method: request.method!,
      path,
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    });
    if (held) return; // taken, and never answered
    await meanwhile();
    const { status, headers = {}, body } = typeof next === "number" ? { status: next, body: undefined } : next;
    const ids = JSON.stringify({ ok: true, id: "901", result: { message_id: 77 } });
    response.writeHead(status, headers).end(body ?? ids);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  smtp = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ["STARTTLS"] },
    onRcptTo({ address }, _session, done) {
      done(address.startsWith("gone") ? Object.assign(new Error("no such mailbox"), { responseCode: 550 }) : null);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        mails.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString(),
        });
        done(null);
      });
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, "127.0.0.1", () => resolve()));
  release = () => child.close();
  notifications = open();
  await notifications.notifier.round(); // from here on alerts are told
});

afterAll(async () => {
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
  http.close();
  await control.close();
  await store.close();
  await release();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  for (const { name } of await notifications.channels.list()) await notifications.channels.remove(name, "test");
  await control.change((tx) => tx.execute(sql`DELETE FROM notification_silences`));
  received.length = mails.length = 0;
  answers.clear();
  at = new Date(at.getTime() + 86_400_000);
});

/** As a process has it: another one over the same stores. */
const open = (): Notifications =>
  createNotifications({
    ...{ store, control, secrets: createSecrets(["k".repeat(32)]), labels: createLabelStore(control), now: () => at },
    config: {
      kafka: { topics: { txRaw: "tx_raw" } } as never,
      nodes: { silentAfter: SILENT_AFTER },
      notify: {
        ...{ ...loadConfig({ env: {} }).config.notify, perHour: 1_000, maxRetries: 3, allowedRanges: [...LOOPBACK] },
        smtp: {
          host: "127.0.0.1",
          port: (smtp.server.address() as AddressInfo).port,
          secure: false,
          username: undefined,
          password: undefined,
          from: "Weir <weir@example.com>",
        },
      },
    },
    log: createLog({ stream: { write: () => {} } }),
    metrics: createMetrics({ defaults: false }),
  });

const channel = (name: string, kind: ChannelKind, settings: object, policy: object = {}) =>
  notifications.channels.add(
    { name, kind, settings: KINDS[kind].settings.parse(settings), policy: policySchema.parse(policy), enabled: true },
    "test",
  );
const webhook = (name: string, policy: object = {}) =>
  channel(name, "webhook", { url: `${origin}/${name}`, secrets: [SECRET] }, policy);

let offset = 0;
/** @returns ids of `count` alerts that the store has from now on, each with another sender */
async function alerts(
  count: number,
  own: { severity?: string; block?: number; rule?: string } = {},
): Promise<string[]> {
  const { severity = "high", block, rule = "whale-transfer" } = own;
  const place = block === undefined ? "NULL, NULL" : `${block}, unhex('${blockHash(block).slice(2)}')`;
  const ids: string[] = [];
  const rows: string[] = [];
  for (let i = 0; i < count; i++) {
    const id = randomBytes(16).toString("hex");
    ids.push(id);
    const address = (20_000 + offset).toString(16).padStart(40, "0");
    rows.push(
      `('tx_raw', 0, ${offset++}, 0, '2026-01-01 00:00:00', unhex('${id}'), '${rule}', 1, '${severity}', 0, 1, unhex('${"11".repeat(32)}'), ${place}, unhex('${address}'), NULL, '${i} ETH moved')`,
    );
  }
  const columns =
    "source, partition, offset, n, event_time, alert_id, rule, rule_version, severity, ordinal, chain_id, tx_hash, block_number, block_hash, from_address, to_address, message";
  await store.command(`INSERT INTO alerts (${columns}) VALUES ${rows.join(", ")}`);
  return ids;
}
const blockHash = (block: number): string => `0x${block.toString(16).padStart(64, "0")}`;

/** Rounds until nothing is left to be done at this time. */
async function settle({ notifier }: Pick<Notifications, "notifier"> = notifications): Promise<void> {
  while (await notifier.round());
}
const states = async (name: string) =>
  (await notifications.outbox.list({ channel: name }, { limit: 1_000, offset: 0 })).rows.map(({ state }) => state);
const pass = (seconds: number): void => {
  at = new Date(at.getTime() + seconds * 1_000);
};
const alertIdsOf = ({ body }: Received): string[] =>
  (body.data as { alerts: { id: string }[] }).alerts.map(({ id }) => id);

test("each kind of channel is told once, as its service wants it", async () => {
  await webhook("hook");
  await channel("slack", "slack", { url: `${origin}/slack` });
  await channel("discord", "discord", { url: `${origin}/discord?thread_id=5` });
  await channel("telegram", "telegram", { token: "12345:abcdefghijklmnop", chat_id: "-100", api_url: origin });
  await channel("mail", "email", { to: ["a@example.com", "b@example.com"] });
  const [id] = await alerts(1, { rule: "<whale> & @everyone" });
  await settle();
  await settle();

  const of = (path: string) => received.filter((each) => each.path === path);
  expect(received).toHaveLength(4);
  const [hook] = of("/hook");
  expect(hook!.body).toMatchObject({
    type: "alert.raised",
    data: { alerts: [{ id, chain_id: "1", severity: "high" }] },
  });
  const signed = `${hook!.headers["webhook-id"]}.${hook!.headers["webhook-timestamp"]}.${JSON.stringify(hook!.body)}`;
  const key = Buffer.from(SECRET.slice(6), "base64");
  expect(hook!.headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  expect(of("/slack")[0]!.body.text).toContain("&lt;whale&gt; &amp; @everyone");
  expect(of("/discord?thread_id=5&wait=true")[0]!.body).toMatchObject({ allowed_mentions: { parse: [] } });
  expect(of("/bot12345:abcdefghijklmnop/sendMessage")[0]!.body).toMatchObject({ chat_id: "-100" });
  expect(mails.map(({ to }) => to[0]).sort()).toEqual(["a@example.com", "b@example.com"]);
  expect(mails[0]!.text).toContain("0 ETH moved");

  // and secrets are neither shown nor legible where they are kept
  const kept = JSON.stringify(await control.read((db) => db.execute(sql`SELECT * FROM notification_channels`)));
  for (const secret of [SECRET, "abcdefghijklmnop", `${origin}/slack`]) expect(kept).not.toContain(secret);
  expect((await notifications.channels.get("telegram"))!.settings).toMatchObject({ token: "(set)", chat_id: "-100" });
});

test("what fails is tried again with the same id, later each time, and given up in the end; the operators hear of it", async () => {
  await webhook("flaky");
  await webhook("ops", { operations: true, min_severity: "critical" });
  answers.set("/flaky", [500, "drop", { status: 429, headers: { "retry-after": "120" } }]);
  await alerts(1);
  await settle();
  expect(await states("flaky")).toEqual(["waiting"]);
  await settle();
  expect(received).toHaveLength(1); // not before its time
  pass(60);
  await settle();
  pass(600);
  await settle();
  pass(119);
  await settle();
  expect(received).toHaveLength(2);
  pass(2);
  await settle();
  expect(await states("flaky")).toEqual(["delivered"]);
  expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);

  answers.set("/flaky", [500, 500, 500, 500, 500]);
  await alerts(1);
  for (let i = 0; i < 5; i++) {
    await settle();
    pass(7_000);
  }
  expect(await states("flaky")).toEqual(["dead", "delivered"]);
  const told = received.filter(({ path }) => path === "/ops");
  expect(told.map(({ body }) => body.type)).toEqual(["channel.trouble"]);
  expect(JSON.stringify(told[0]!.body)).toContain("did not take a message in 4 attempts");

  const { rows } = await notifications.outbox.list({ state: "dead", channel: "flaky" }, { limit: 1, offset: 0 });
  answers.clear();
  await notifications.outbox.redeliver(rows[0]!.id, at, "anna");
  await settle();
  expect(await states("flaky")).toEqual(["delivered", "delivered"]);
  expect(received.at(-1)!.headers["webhook-id"]).toBe(rows[0]!.messageId);
});

test("a service that refuses for good disables its channel; a mailbox that is gone does not keep others from theirs", async () => {
  await webhook("gone");
  await channel("mail", "email", { to: ["gone@example.com", "here@example.com"] });
  await webhook("ops", { operations: true, min_severity: "critical" });
  answers.set("/gone", [410]);
  await alerts(1);
  await settle();
  expect(await notifications.channels.get("gone")).toMatchObject({
    enabled: false,
    reason: expect.stringContaining("410"),
  });
  expect((await states("mail")).sort()).toEqual(["dead", "delivered"]);
  expect(mails.map(({ to }) => to)).toEqual([["here@example.com"]]);
  expect((await notifications.channels.get("mail"))!.enabled).toBe(true);
  expect(received.filter(({ path }) => path === "/ops")).toHaveLength(2);
  await alerts(1);
  await settle();
  expect(received.filter(({ path }) => path === "/gone")).toHaveLength(1);
});

test("a burst is a few messages and then one, over the limit it waits, and a critical alert does neither", async () => {
  await webhook("burst", { burst: { alerts: 3, seconds: 60 } });
  await webhook("limited", { burst: null, per_hour: 2 });
  const ids = await alerts(10);
  const [critical] = await alerts(1, { severity: "critical" });
  await settle();
  const of = (path: string) => received.filter((each) => each.path === path);
  expect(of("/burst").map(alertIdsOf)).toEqual([[ids[0]], [ids[1]], [ids[2]], [critical]]);
  expect(of("/limited").map(alertIdsOf)).toEqual([[ids[0]], [ids[1]], [critical]]);
  pass(61);
  await settle();
  expect(of("/burst").slice(4).map(alertIdsOf)).toEqual([ids.slice(3)]);
  expect(of("/burst")[4]!.body).toMatchObject({ type: "alert.digest", data: { title: "7 alerts, the worst high" } });
  pass(3_600);
  await settle();
  expect(of("/limited").slice(3).map(alertIdsOf)).toEqual([ids.slice(2)]);
});

test("an alert of the same key is told once within its window, and a recipient no more than its share of an hour", async () => {
  await webhook("keyed", { dedup_key: ["rule"], dedup_seconds: 300, burst: null });
  await channel(
    "mail",
    "email",
    { to: ["a@example.com", "b@example.com"] },
    { per_recipient_per_hour: 1, burst: null },
  );
  const [first] = await alerts(2);
  await settle();
  pass(299);
  await alerts(1);
  await settle();
  pass(2);
  const [later] = await alerts(1);
  await settle();
  expect(received.flatMap(alertIdsOf)).toEqual([first, later]);
  expect(await states("keyed")).toEqual(["delivered", "suppressed", "suppressed", "delivered"]);
  expect(mails.map(({ to }) => to[0]).sort()).toEqual(["a@example.com", "b@example.com"]);
  pass(3_600);
  await settle();
  expect(mails.map(({ to }) => to[0]).sort()).toEqual(["a@example.com", "a@example.com", "b@example.com", "b@example.com"]); // biome-ignore format: one line
});

test("what is over is forgotten after 30 days", async () => {
  await webhook("old");
  await alerts(1, { block: 700 });
  await settle();
  pass(29 * 86_400);
  await alerts(1);
  await settle();
  expect(await states("old")).toEqual(["delivered", "delivered"]);
  pass(2 * 86_400);
  await settle();
  expect(await states("old")).toEqual(["delivered"]);
});

test("a digest is one message, however many alerts and whatever else is due; so it stays when it is tried and sent again", async () => {
  await webhook("single", { burst: null });
  await webhook("digest", { digest_seconds: 60 });
  answers.set("/digest", [500]);
  const ids = await alerts(100);
  await settle();
  pass(61);
  await settle();
  pass(60);
  await settle();
  const digests = received.filter(({ path }) => path === "/digest");
  expect(digests.map((each) => alertIdsOf(each).sort())).toEqual([ids.toSorted(), ids.toSorted()]);
  const { rows } = await notifications.outbox.list({ channel: "digest" }, { limit: 1, offset: 0 });
  await notifications.outbox.redeliver(rows[0]!.id, at, "anna");
  await settle();
  const again = received.at(-1)!;
  expect(alertIdsOf(again).sort()).toEqual(ids.toSorted());
  expect(again.headers["webhook-id"]).toBe(digests[0]!.headers["webhook-id"]);
});

test("what is taken and has to wait for others that take long is put back before somebody else takes it, too", async () => {
  await webhook("slow", { burst: null });
  const ids = await alerts(6);
  let isOther = false;
  meanwhile = async () => {
    pass(25);
    if (isOther) return;
    isOther = true;
    await open().notifier.round();
    isOther = false;
  };
  await settle();
  meanwhile = async () => {};
  expect(received.flatMap(alertIdsOf).sort()).toEqual(ids.toSorted());
  expect(await states("slow")).toEqual(ids.map(() => "delivered"));
});

test("a block that was replaced: who was told is told so, in the same message where it can be edited", async () => {
  await channel("telegram", "telegram", { token: "12345:abcdefghijklmnop", chat_id: "-100", api_url: origin });
  await webhook("hook");
  const [id] = await alerts(1, { block: 900 });
  await alerts(1, { block: 901 });
  await settle();
  await store.command(`INSERT INTO replaced_blocks VALUES (1, 900, unhex('${blockHash(900).slice(2)}'), 1, 1)`);
  await settle();
  await settle();
  const edit = received.filter(({ path }) => path.endsWith("/editMessageText"));
  expect(edit.map(({ body }) => body)).toEqual([
    expect.objectContaining({ message_id: 77, text: expect.stringContaining("Retracted") }),
  ]);
  const hooks = received.filter(({ path }) => path === "/hook");
  expect(hooks.map(({ body }) => body.type)).toEqual(["alert.raised", "alert.raised", "alert.retracted"]);
  expect(alertIdsOf(hooks[2]!)).toEqual([id]);
});

test("a chain that falls silent is told to the channels that there are, once; when it is heard again, who was told is told so", async () => {
  const lookout = createDeadMansSwitch(control, SILENT_AFTER);
  const blocks = (chainId: number, lastAt: number): WatchedChannel => ({
    ...{ chainId, source: "watch tx_raw", channel: "blocks", lastAt: new Date(lastAt) },
  });
  const [began, now] = [1_700_000_000_000, 1_700_000_400_000];
  await lookout.look([blocks(56, began)], now); // before there was a channel: it hears of what comes from then on
  await webhook("hears");
  await webhook("other-chain", { chains: ["10"] });
  const heard = () => received.map(({ path, body }) => [path, body.type, (body.data as { title: string }).title]);
  await lookout.look([blocks(56, began), blocks(1, began)], now);
  const { notifier } = notifications;
  for (let i = 0; i < 2; i++) await Promise.all([notifier.round(), open().notifier.round()]);
  expect(heard()).toEqual([["/hears", "alert.raised", "CRITICAL: weir:silence"]]);
  const { text, alerts: told } = received[0]!.body.data as { text: string; alerts: Record<string, unknown>[] };
  expect(text).toMatch(/^Chain 1: no block of "watch tx_raw" since 2023-11-14T22:13:20.000Z, expected within 300 s\./);
  expect(text).toMatch(/rule weir:silence \(critical\), chain 1$/m);
  expect(told).toEqual([expect.objectContaining({ chain_id: "1", tx_hash: null, correlation_id: null })]);

  await lookout.look([blocks(56, now), blocks(1, now)], now);
  for (let i = 0; i < 2; i++) await notifier.round();
  expect(heard().slice(1)).toEqual([["/hears", "alert.retracted", "Over: weir:silence"]]);
  expect((received[1]!.body.data as { text: string }).text).toMatch(/The chain is heard again\.$/);

  // as records they go on the topic of alerts, of which live streams are made
  const values: TopicValue[] = [];
  await lookout.tell(async (records) => {
    for (const { value } of records) values.push({ value: Buffer.from(JSON.stringify(value)), place: undefined });
  });
  const live = createTopicEvents({
    read: async (messages) => messages.map(({ message }) => message),
    now: () => 0,
    mined: "provisional",
    onRefused: (_, error) => expect.fail(error.message),
  });
  const { message } = told[0] as { message: string };
  const events = (await live("alerts", values)).map(({ data }) => data);
  expect(events).toContainEqual(expect.objectContaining({ chain_id: 1, rule: "weir:silence", status: "raised", message })); // biome-ignore format: one line
  expect(events).toContainEqual(expect.objectContaining({ chain_id: 1, rule: "weir:silence", status: "retracted" }));
});

test("nobody took note in time: another channel is told; who did, is left in peace; a silence is kept", async () => {
  await webhook("boss", { min_severity: "critical", rules: ["none"] });
  await webhook("first", { escalate: { to: "boss", after_seconds: 600, min_severity: "high" } });
  const [missed] = await alerts(1);
  const [noted] = await alerts(1);
  await settle();
  await notifications.outbox.acknowledge(noted!, "anna");
  pass(601);
  await settle();
  const boss = received.filter(({ path }) => path === "/boss");
  expect(boss.map(({ body }) => body.type)).toEqual(["alert.escalated"]);
  expect(alertIdsOf(boss[0]!)).toEqual([missed]);

  await control.change((tx) =>
    tx.execute(sql`INSERT INTO notification_silences (rules, chains, addresses, starts_at, ends_at, comment, created_by)
      VALUES ('["whale*"]', '[]', '[]', ${at.toISOString()}, ${new Date(at.getTime() + 60_000).toISOString()}, 'known', 'anna')`),
  );
  received.length = 0;
  await alerts(1);
  await settle();
  expect(received).toEqual([]);
  expect((await states("first"))[0]).toBe("suppressed");
});

test("what came while there was no channel is not told to the first one that is made", async () => {
  await alerts(3);
  await webhook("late"); // no round was in between: nobody looked
  const [after] = await alerts(1);
  await settle();
  expect(received.flatMap(alertIdsOf)).toEqual([after]);
});

test("several processes tell each alert once", async () => {
  await webhook("shared", { burst: null });
  const ids = await alerts(60);
  await Promise.all([open(), open(), open()].map((process) => settle(process)));
  await settle();
  expect(received.flatMap(alertIdsOf).sort()).toEqual(ids.sort());
  const told = received.flatMap(
    ({ body }) => (body.data as { alerts: { id: string; correlation_id: string }[] }).alerts,
  );
  const stored = await store.rows(
    "SELECT lower(hex(alert_id)) AS id, concat(source, '/', toString(partition), '/', toString(offset), '/', toString(n)) AS correlation_id FROM alerts WHERE id IN {ids:Array(String)}",
    { ids },
  );
  expect(told.map(({ id, correlation_id }) => ({ id, correlation_id }))).toEqual(expect.arrayContaining(stored));
});

test("a template that fails does not keep an alert from being told", async () => {
  await webhook("broken", { text: "{{ alert.message | nonsense }}" });
  await alerts(1);
  await settle();
  const { text } = received[0]!.body.data as { text: string };
  expect(text).toContain("0 ETH moved");
  expect(text).toContain("nonsense");
});

test("killed while it sends: nothing is lost, and only what was under way comes again, with the same id", async () => {
  const child = (laterMs: number) =>
    spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "testing/notifierProcess.ts")], {
      env: { ...process.env, STORE: folder, NOW: String(at.getTime() + laterMs) },
      stdio: ["ignore", "inherit", "inherit"],
    });
  await webhook("killed", { burst: null });
  const ids = await alerts(30);
  holdFrom = 10;
  const victim = child(0);
  await until(() => received.length > holdFrom!);
  victim.kill("SIGKILL");
  await once(victim, "exit");
  const before = received.length;
  holdFrom = undefined;
  const next = child(61_000); // the lease is over
  await until(() => new Set(received.flatMap(alertIdsOf)).size === ids.length);
  await until(async () => (await states("killed")).every((state) => state === "delivered"));
  next.kill("SIGTERM");
  await once(next, "exit");

  expect([...new Set(received.flatMap(alertIdsOf))].sort()).toEqual(ids.sort());
  const messageIds = received.map(({ headers }) => headers["webhook-id"]);
  const twice = messageIds.filter((id, i) => messageIds.indexOf(id) < i);
  expect(new Set(messageIds).size).toBe(ids.length);
  expect(twice).toHaveLength(1); // one recipient, so one at a time
  expect(twice.every((id) => messageIds.slice(0, before).includes(id))).toBe(true);
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20); // the test's own time-out ends it
}
