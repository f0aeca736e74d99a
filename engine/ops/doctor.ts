/** `weir doctor`: what is configured, what is reachable, and a next step for each problem. Changes nothing. */
import { access, readdir, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { createAdmin } from "../kafka/admin.ts";
import { canReadBatches } from "../kafka/consumeBatch.ts";
import { admit } from "../sandbox/admit.ts";
import type { Config, LoadedConfig } from "./config.ts";
import { showConfig } from "./configText.ts";
import { messageOf, stripCredentials } from "./errors.ts";

export interface Check {
  readonly check: string;
  /** off: not configured, so nothing is wrong */
  readonly state: "ok" | "warning" | "failed" | "off";
  readonly detail: string;
  /** what to do; "" when there is nothing */
  readonly next: string;
}

export interface DoctorInput {
  readonly loaded: LoadedConfig;
  /** Opens the store, asks, closes: the command's part, since opening the embedded one starts its process. */
  readonly askStore: () => Promise<{ readonly version: string; readonly pendingMigrations: readonly string[] }>;
  /** The control store in the same way; null: no tables yet. */
  readonly askControl: () => Promise<{ readonly version: string; readonly rules: number | null }>;
  /** how long a broker may take to answer */
  readonly kafkaTimeoutMs?: number;
  /** how long a chain's node may take */
  readonly nodeTimeoutMs?: number;
}

type Result = Omit<Check, "check" | "next"> & { readonly next?: string };

/** All checks side by side; in the order of a table. Never rejects: what a check throws is its result. */
export async function doctor(input: DoctorInput): Promise<Check[]> {
  const { loaded, askStore, askControl, kafkaTimeoutMs = 5_000, nodeTimeoutMs = 5_000 } = input;
  const { config } = loaded;
  const checks: [string, () => Promise<Result | Result[]>][] = [
    ["node", async () => nodeVersion(process.versions.node)],
    ["memory", async () => memory(process.constrainedMemory?.())],
    ["disk", () => disk(config.data)],
    ["configuration", async () => configuration(loaded)],
    ["clickhouse", () => clickhouse(config, askStore)],
    ["control", () => control(config, askControl)],
    ["kafka", () => kafka(config, kafkaTimeoutMs)],
    ["nodes", () => nodes(config, nodeTimeoutMs)],
    ["rules", () => rules(config.rules.folder)],
    ["api port", () => apiPort(config)],
    ["token", async () => token(config)],
  ];
  const results = await Promise.all(checks.map(([check, run]) => settle(check, run)));
  return results.flat();
}

/** @returns whether something that is configured does not work */
export function hasFailed(checks: readonly Check[]): boolean {
  return checks.some(({ state }) => state === "failed");
}

async function settle(check: string, run: () => Promise<Result | Result[]>): Promise<Check[]> {
  const results = await run().catch((error: unknown): Result => {
    const [detail = "", ...rest] = stripCredentials(messageOf(error)).split("\n");
    const next = (error as { next?: string }).next ?? rest.join(" ").trim();
    return { state: "failed", detail, next };
  });
  return [results].flat().map((result) => ({ check, next: "", ...result }));
}

export function nodeVersion(version: string): Result {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return { state: "ok", detail: `v${version}` };
  return {
    state: "failed",
    detail: `v${version}, expected 20.19 or later`,
    next: "Install a newer Node.js: https://nodejs.org",
  };
}

const GiB = 2 ** 30;

/** @param limit of the container in bytes; 0, undefined or absurd when there is none */
export function memory(limit: number | undefined): Result {
  const total = limit && limit < totalmem() ? limit : totalmem();
  const detail = `${(total / GiB).toFixed(1)} GiB, ${(freemem() / GiB).toFixed(1)} GiB of it unused`;
  if (total >= 2 * GiB) return { state: "ok", detail };
  return {
    state: "warning",
    detail,
    next: "Engine and embedded store want 2 GiB: give it more, or lower WEIR_IN_FLIGHT_BYTES",
  };
}

async function disk(folder: string): Promise<Result> {
  const there = await nearestExisting(folder);
  const { bavail, bsize, files, ffree } = await statfs(there);
  const free = bavail * bsize;
  const detail = `${(free / GiB).toFixed(1)} GiB free at ${folder}`;
  if (free < 0.5 * GiB || (files > 0 && ffree < 1000))
    return { state: "failed", detail, next: "Free some space, or set WEIR_DATA to another disk" };
  if (free < 5 * GiB)
    return {
      state: "warning",
      detail,
      next: "A million transactions take about 1 GiB: watch it, or set WEIR_DATA to another disk",
    };
  return { state: "ok", detail };
}

async function nearestExisting(folder: string): Promise<string> {
  const found = await access(folder).then(
    () => true,
    () => false,
  );
  return found || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}

function configuration(loaded: LoadedConfig): Result {
  const set = showConfig(loaded).filter(({ origin }) => origin !== "" && origin !== "default");
  const detail =
    set.length === 0 ? "all defaults" : set.map(({ name, value, origin }) => `${name}=${value} (${origin})`).join(", ");
  return { state: "ok", detail };
}

async function clickhouse({ store, data }: Config, askStore: DoctorInput["askStore"]): Promise<Result> {
  const where = store.url === undefined ? `embedded in ${data}` : stripCredentials(store.url);
  const { version, pendingMigrations } = await askStore().catch((error: unknown) => {
    const reason = messageOf(error);
    const next =
      store.url === undefined
        ? "See the log in WEIR_DATA; is another program using that folder?"
        : "Check CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD";
    throw Object.assign(new Error(`${where}: ${reason}`), { next: (error as { next?: string }).next ?? next });
  });
  if (pendingMigrations.length === 0) return { state: "ok", detail: `${version}, ${where}, tables as they should be` };
  return {
    state: "warning",
    detail: `${version}, ${where}, without ${pendingMigrations.join(", ")}`,
    next: "npx weir migrate (weir start does it too)",
  };
}

async function control({ control: { url }, data }: Config, ask: DoctorInput["askControl"]): Promise<Result> {
  const where = url === undefined ? `embedded in ${data}` : stripCredentials(url);
  const { version, rules } = await ask().catch((error: unknown) => {
    const reason = messageOf(error);
    const next =
      url === undefined
        ? "See the log in WEIR_DATA"
        : "Check DATABASE_URL: is PostgreSQL running, and may this user enter?";
    throw Object.assign(new Error(`${where}: ${reason}`), { next });
  });
  const server = `PostgreSQL ${version}, ${where}`;
  if (rules !== null) return { state: "ok", detail: `${server}, ${rules} rules` };
  return { state: "warning", detail: `${server}, without tables`, next: "npx weir migrate (weir start does it too)" };
}

async function kafka({ kafka: { brokers, groupId, topics } }: Config, timeoutMs: number): Promise<Result | Result[]> {
  if (!brokers) return { state: "off", detail: "KAFKA_BROKERS is not set: only recordings are read" };
  const admin = await createAdmin({ brokers: brokers.join(","), timeoutMs });
  try {
    const known = new Set(await admin.listTopics().catch(unreachable));
    const reachable: Result = { state: "ok", detail: `${brokers.join(",")}, ${known.size} topics` };
    const named = Object.values(topics).filter((topic) => topic !== undefined);
    const each = named.map(async (topic): Promise<Result> => {
      if (!known.has(topic))
        return { state: "failed", detail: `there is no topic "${topic}"`, next: "npx weir topics" };
      const marks = await admin.watermarks(topic);
      const records = marks.reduce((sum, { low, high }) => sum + high - low, 0);
      const detail = `${topic}: ${marks.length} partitions, ${records} records`;
      if (topic !== topics.txRaw) return { state: "ok", detail };
      const commits = await admin.committed(groupId, marks.map(({ partition }) => ({ topic, partition }))); // biome-ignore format: one call
      const done = new Map(commits.map(({ partition, offset }) => [partition, offset]));
      // without a commit the group begins at the first record that is kept
      const lag = marks.reduce(
        (sum, { partition, low, high }) => sum + high - Math.max(low, done.get(partition) ?? low),
        0,
      );
      return { state: "ok", detail: `${detail}, ${lag} not processed yet by the group "${groupId}"` };
    });
    const client: Result = canReadBatches()
      ? { state: "ok", detail: "the client reads records in batches" }
      : {
          state: "warning",
          detail: "the client is a ready binary, which reads records one by one: half the rate",
          next: "npm run kafka:build -- --compile",
        };
    return [reachable, client, ...(await Promise.all(each))];
  } finally {
    await admin.close();
  }
}

function unreachable(error: Error): never {
  throw Object.assign(error, { next: "Is the broker running, and does KAFKA_BROKERS name it as seen from here?" });
}

async function nodes({ nodes: { urls } }: Config, timeoutMs: number): Promise<Result | Result[]> {
  const chains = Object.entries(urls);
  if (chains.length === 0)
    return { state: "off", detail: "no chain has nodes: ETHEREUM_RPC_URLS and others name them" };
  const { checkNodes } = await import("../source/rpc/checkNodes.ts"); // with viem, 0.7 s
  return Promise.all(
    chains.map(async ([chain, each]): Promise<Result> => {
      const states = await checkNodes(Number(chain), each, timeoutMs);
      const newest = Math.max(...states.map(({ head = -1 }) => head));
      const told = states.map(({ node, head, ms, problem }) =>
        head === undefined ? `${node} cannot be used: ${problem}` : `${node} ${newest - head} behind, ${ms} ms`,
      );
      const usable = states.filter(({ head }) => head !== undefined).length;
      return {
        state: usable === 0 ? "failed" : usable < states.length ? "warning" : "ok",
        detail: `chain ${chain}, block ${newest < 0 ? "unknown" : newest}: ${told.join("; ")}`,
        next: usable < states.length ? "Is the URL right and its key valid? Others go on without that node" : "",
      };
    }),
  );
}

async function rules(folder: string): Promise<Result | Result[]> {
  const entries = await readdir(folder).catch(() => undefined);
  if (!entries)
    return { state: "warning", detail: `there is no folder ${folder}`, next: "npm run rules:build, or set RULES_DIR" };
  const modules = entries.filter((name) => name.endsWith(".wasm")).sort();
  if (modules.length === 0)
    return { state: "warning", detail: `no .wasm in ${folder}`, next: "npm run rules:build, or set RULES_DIR" };
  const refused: Result[] = [];
  for (const name of modules) {
    const admitted = admit(await readFile(join(folder, name)));
    if (!admitted.ok)
      refused.push({
        state: "failed",
        detail: `${name}: ${admitted.findings[0]?.message}`,
        next: `npx weir rule check ${join(folder, name)}`,
      });
  }
  return [
    { state: "ok", detail: `${modules.length - refused.length} of ${modules.length} modules in ${folder} load` },
    ...refused,
  ];
}

async function apiPort({ api: { host, port } }: Config): Promise<Result> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      const detail = `${host}:${port} cannot be taken: ${code}`;
      resolve({
        state: "warning",
        detail,
        next: code === "EADDRINUSE" ? "A running engine? Else set API_PORT" : "Set API_HOST and API_PORT",
      });
    });
    server.listen(port, host, () => server.close(() => resolve({ state: "ok", detail: `${host}:${port} is free` })));
  });
}

function token({ api }: Config): Result {
  if (api.token !== undefined) return { state: "ok", detail: "WEIR_TOKEN is set" };
  return { state: "off", detail: "WEIR_TOKEN is not set: each start makes a token until there is an administrator" };
}
