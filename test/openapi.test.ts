/** What the API's document says is what is answered, to whoever asks and whatever they ask. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { OpenAPIClientAxios } from "openapi-client-axios";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalPath } from "../api/aliases.ts";
import { createDetector } from "../engine/chain/detect.ts";
import { type FindingRecord, findingRecord } from "../engine/chain/findingJson.ts";
import { builtInRegistry } from "../engine/chain/registry/registry.ts";
import { recordingBlocks } from "../engine/cli/detect/recordingBlocks.ts";
import { listAudit } from "../engine/control/changes.ts";
import { type AskChange, changeEverything } from "./support/everyChange.ts";
import { type Operation, requestsOf } from "./support/hostileRequests.ts";
import { type ServedRecording, serveRecording } from "./support/servedRecording.ts";

let served: ServedRecording;
beforeAll(async () => {
  const env = { RATE_LIMIT_PER_MINUTE: "0", WEIR_RATE_LIMIT_KNOWN_PER_MINUTE: "0" };
  served = await serveRecording({ from: 9_000, lines: 1_500, env });
  await prepare();
  await served.replay();
});
afterAll(() => served?.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(served.url + path, { ...init, headers: { authorization: `Bearer ${served.token}`, ...init.headers } });

/** Something of everything that can be named, so that each operation has what to answer with. */
async function prepare(): Promise<void> {
  const put = async (path: string, body: object | string, method = "POST") => {
    const [sent, type] = typeof body === "string" ? [body, "text/plain"] : [JSON.stringify(body), "application/json"];
    const answer = await ask(path, { method, body: sent, headers: { "content-type": type } });
    expect(answer.status, `${path}: ${await answer.text()}`).toBeLessThan(300);
  };
  await put("/api/v1/rules", RULE);
  await put("/api/v1/lists/watched", WETH, "PUT");
  await put(`/api/v1/labels/1/${WETH}`, { name: "Wrapped" }, "PUT");
  for (const role of ["viewer", "user", "admin"] as const) {
    const user = await served.house.access.users.add({ username: `one-${role}`, password: "correct horse battery", role }, "tester"); // biome-ignore format: one line
    keys[role] = (await served.house.access.keys.create(user, { name: "openapi", role }, "tester")).key;
  }
}
const keys: Record<string, string> = {};
const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const RULE = { name: "openapi", conditions: { value_gte: 1 }, actions: { send_alert: true, severity: "low", channels: [], save_to_db: true } }; // biome-ignore format: one line

/** All pages of a list. */
async function readAll(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let next: string | undefined = `${path}?limit=${limit}`; next; ) {
    const answer = await ask(next);
    expect(answer.status, next).toBe(200);
    rows.push(...((await answer.json()) as Record<string, unknown>[]));
    next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return rows;
}

test("lists of findings have what the detector finds, each once, page by page", async () => {
  const found: FindingRecord[] = [];
  const detect = createDetector({ registry: builtInRegistry });
  for await (const view of recordingBlocks(served.recording, { onBroken: () => {} }))
    found.push(...detect(view).map((finding) => findingRecord(view, finding)));
  const detected = (kind: string) => found.filter((each) => each.kind === kind && each.definition !== "router");
  const key = ({ tx_hash, log_index }: Record<string, unknown>) => `${tx_hash} ${log_index}`;

  for (const [path, kind, members] of [
    ["swaps", "swap", ["protocol", "pool", "token_in", "amount_in", "token_out", "amount_out"]],
    ["arbitrages", "arbitrage", ["account", "strategy", "profit_token", "start_amount", "end_amount", "profit_amount"]],
    ["sandwiches", "sandwich", ["sandwicher", "victim_txs", "profit_amount", "victim_losses"]],
  ] as const) {
    const got = await readAll(`/api/v1/${path}`, 97);
    const expected = new Map(detected(kind).map((each) => [key(each), each]));
    expect(expected.size, kind).toBeGreaterThan(10);
    expect(new Set(got.map(key)).size).toBe(got.length);
    const shown = (row: Record<string, unknown>) => Object.fromEntries([...["tx_hash", "log_index", "chain_id", "block_number", "status", "confidence", "evidence"], ...members].map((name) => [name, row[name]])); // biome-ignore format: one line
    expect(got.map(shown).sort(byKey)).toEqual([...expected.values()].map(shown).sort(byKey));
  }
  function byKey(one: Record<string, unknown>, other: Record<string, unknown>): number {
    return key(one) < key(other) ? -1 : 1;
  }
});

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document
type Document = any;

async function readDocument(): Promise<{ document: Document; operations: Operation[] }> {
  const document = (await (await ask("/openapi.json")).json()) as Document;
  const operations = Object.entries<Record<string, object>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => /^(get|post|put|patch|delete)$/.test(method)).map(([method, each]) => ({ ...(each as Operation), method, path })),
  ); // biome-ignore format: one chain
  return { document, operations };
}

/** @returns says what is wrong with an answer; undefined: it is as documented */
function createJudge(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  formats.default(ajv);
  ajv.addSchema({ $id: "doc", components: document.components });
  const compiled = new Map<object, ReturnType<typeof ajv.compile>>();
  const validator = (schema: object) => {
    const known = compiled.get(schema) ?? ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll("#/components", "doc#/components"))); // biome-ignore format: one line
    compiled.set(schema, known);
    return known;
  };
  return ({ method, path, responses }: Operation, status: number, type: string, body: unknown): string | undefined => {
    const at = `${method} ${path} ${status}`;
    const documented = responses[String(status)];
    if (status >= 500) return `${at}: ${JSON.stringify(body)}`;
    if (!documented) return `${at} is not documented: ${JSON.stringify(body).slice(0, 200)}`;
    if (status >= 400 && !type.startsWith("application/problem+json")) return `${at} has ${type}`;
    const contents = documented.content ?? {};
    if (Object.keys(contents).length === 0) return undefined;
    const content = contents[type.split(";")[0]!.trim()];
    if (!content) return `${at} has ${type}, expected ${Object.keys(contents).join()}`;
    if (!type.includes("json")) return undefined;
    const validate = validator(content.schema);
    return validate(body) ? undefined : `${at}: ${ajv.errorsText(validate.errors).slice(0, 300)}`;
  };
}

/** What says how things are at this moment, and the answer to a query in the address. */
const ALWAYS_NEW = new Set(["/health", "/api/v1/health", "/ready", "/graphql"]);

const clientOf = (document: Document) =>
  new OpenAPIClientAxios({
    definition: { ...document, servers: [{ url: served.url }] },
    quick: true,
    axiosConfigDefaults: { headers: { authorization: `Bearer ${served.token}` }, validateStatus: () => true, maxRedirects: 0 },
  }).init(); // biome-ignore format: one object

async function anyAlert() {
  const alerts = (await (await ask("/api/v1/alerts?limit=1")).json()) as { id: string; tx_hash: string }[];
  return alerts[0]!;
}

test("each operation answers a client generated from the document as the document says", async () => {
  const { document, operations } = await readDocument();
  const judge = createJudge(document);
  const client = await clientOf(document);
  const alert = await anyAlert();
  const named: Record<string, string> = { name: "openapi", hash: alert.tx_hash, id: alert.id, address: WETH, chain_id: "1", entry: WETH, owner: "api token", table: "alerts", session: "0", key: "0" }; // biome-ignore format: one line
  const wrong: string[] = [];
  let fine = 0;
  // what only reads first: what is changed afterwards cannot be missing there
  for (const operation of operations.toSorted(
    (one, other) => Number(one.method !== "get") - Number(other.method !== "get"),
  )) {
    const { method, path, parameters = [] } = operation;
    if (path === "/sse/stream") continue; // its answer has no end: api/live/sse.test.ts
    if (path.endsWith("/auth/logout")) continue;
    const list = path.includes("/lists/") ? "watched" : undefined;
    const values = Object.fromEntries(
      parameters.flatMap(({ name, in: where, required, example, schema }) =>
        where === "path"
          ? [[name, (name === "name" ? list : undefined) ?? named[name] ?? "1"]]
          : required && where === "query"
            ? [[name, example ?? schema.example ?? "2024-06-01"]]
            : [],
      ),
    );
    const call = client.paths[path]![method as "get"]!;
    const body = operation.requestBody?.content["application/json"] ? {} : undefined;
    const answer = await call(values as Record<string, string>, body);
    const problem = judge(operation, answer.status, String(answer.headers["content-type"] ?? ""), answer.data);
    if (problem) wrong.push(problem);
    if (answer.status < 300) fine++;
    const isJson = String(answer.headers["content-type"] ?? "").startsWith("application/json");
    if (method === "get" && answer.status === 200 && isJson && !ALWAYS_NEW.has(path)) {
      const { etag } = answer.headers;
      if (etag === undefined) wrong.push(`${path} has no ETag`);
    }
  }
  expect(wrong).toEqual([]);
  expect(fine).toBeGreaterThan(60);
});

const UNNOTED = [
  "post /api/v1/auth/refresh",
  "post /api/v1/auth/ticket",
  "post /api/v1/notifications/channels/{name}/test",
  "post /api/v1/notifications/preview",
  "post /graphql",
];

test("each operation that changes something can succeed, its answer is as documented, and it is in the audit log", async () => {
  const { document, operations } = await readDocument();
  const judge = createJudge(document);
  const client = await clientOf(document);
  const done = new Set<string>();
  const unnoted = new Set<string>();
  let noted = (await listAudit(served.house.control, {}, { limit: 1, offset: 0 })).total;
  const asked: AskChange = async (named, { params, body, type, as } = {}) => {
    const [method, path] = named.split(" ") as ["post", string];
    const operation = operations.find((each) => each.method === method && each.path === path)!;
    const headers = { ...(type && { "content-type": type }), ...(as && { authorization: `Bearer ${as}` }) };
    for (const broken of unkeepable(body)) {
      const refused = await client.paths[path]![method]!(params ?? {}, broken as object, { headers });
      expect(refused.status, `${named}: ${JSON.stringify(broken)}`).toBe(400);
    }
    const answer = await client.paths[path]![method]!(params ?? {}, body, { headers });
    const problem = judge(operation, answer.status, String(answer.headers["content-type"] ?? ""), answer.data);
    expect(answer.status, `${named}: ${JSON.stringify(answer.data)}`).toBeLessThan(300);
    expect(problem).toBeUndefined();
    done.add(named);
    const { total } = await listAudit(served.house.control, {}, { limit: 1, offset: 0 });
    if (method !== ("get" as string) && total === noted) unnoted.add(named);
    noted = total;
    return answer.data;
  };
  await changeEverything(asked, served.house, (await anyAlert()).id);
  // what they change is no setting of anybody: all else is in the audit log
  expect([...unnoted].sort()).toEqual(UNNOTED);
  const changing = operations.filter(({ method, path }) => method !== "get" && canonicalPath(path) === path);
  expect(changing.map(({ method, path }) => `${method} ${path}`).filter((named) => !done.has(named))).toEqual([]);
});

/** A body of JSON, once for each of its texts, with something in it that no database keeps. */
function* unkeepable(body: unknown): Generator<unknown> {
  if (body === null || typeof body !== "object" || ArrayBuffer.isView(body)) return;
  for (const [name, value] of Object.entries(body)) {
    const within = typeof value === "string" ? [`${value}\u0000`, `${value}\ud800`] : unkeepable(value);
    for (const broken of within)
      yield Array.isArray(body) ? body.with(Number(name), broken) : { ...body, [name]: broken };
  }
}

/** Requests an operation; FUZZ_API asks more. */
const FUZZ_RUNS = Number(process.env.FUZZ_API ?? 4);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`whatever is asked, by whomever, is never our fault (SEED=${SEED})`, async () => {
  const { document, operations } = await readDocument();
  const judge = createJudge(document);
  const wrong: string[] = [];
  const answers = { fine: 0, refused: 0 };
  for (const [n, operation] of operations.entries()) {
    const { method } = operation;
    for (const { path, role, contentType, body } of fc.sample(requestsOf(operation), { seed: SEED + n, numRuns: FUZZ_RUNS })) {
      const answer = await fetch(served.url + path, {
        method: method.toUpperCase(),
        headers: { "content-type": contentType, ...(role && { "x-api-key": keys[role]! }) },
        redirect: "manual",
        ...(method !== "get" && { body }),
      });
      const type = answer.headers.get("content-type") ?? "";
      if (type.startsWith("text/event-stream")) {
        await answer.body!.cancel(); // it has no end
        continue;
      }
      const text = await answer.text();
      answers[answer.status < 400 ? "fine" : "refused"]++;
      const problem = judge(operation, answer.status, type, type.includes("json") ? JSON.parse(text) : text);
      if (problem) wrong.push(`${role} ${method} ${path} ${method === "get" ? "" : body.slice(0, 300)} → ${problem}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(answers.fine).toBeGreaterThan(operations.length / 4);
  expect(answers.refused).toBeGreaterThan(operations.length / 4);
}); // biome-ignore format: one loop
