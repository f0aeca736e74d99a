/** For tests: the API listening on a free port, over a real embedded store in a folder of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "@hono/zod-openapi";
import { expect } from "vitest";
import { openFolder } from "../clickhouse/archive/place.ts";
import { createArchiveReader } from "../clickhouse/archive/reader.ts";
import { openStore } from "../clickhouse/client.ts";
import { openEmbedded } from "../clickhouse/embedded/open.ts";
import { createAccess } from "../engine/access/access.ts";
import { builtInRegistry } from "../engine/chain/registry/registry.ts";
import { openControl } from "../engine/control/open.ts";
import { createSecrets } from "../engine/control/secrets.ts";
import { createPublishedTap } from "../engine/dispatch/publishedTap.ts";
import { createLabelStore } from "../engine/label/labels.ts";
import { type Config, loadConfig } from "../engine/ops/config.ts";
import { createHealth } from "../engine/ops/health.ts";
import { createLog } from "../engine/ops/log.ts";
import { createMetrics } from "../engine/ops/metrics.ts";
import { openCatalogue } from "../engine/rules/catalogue.ts";
import { readCoverage } from "../engine/source/rpc/coverage.ts";
import { fillStore } from "../test/support/storeTemplate.ts";
import { createApi } from "./app.ts";
import type { ApiDeps } from "./deps.ts";
import { createMessageReader } from "./labelledMessages.ts";
import type { RateLimitOptions } from "./limits/rateLimits.ts";
import { createEngineFeed } from "./live/engineFeed.ts";
import { createNotifications } from "./notify/start.ts";
import { notifySettings } from "./notify/testing/settings.ts";
import { type Problem, problemSchema } from "./problem.ts";

export const TOKEN = "a-token-for-tests-only";

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

/** @param token null: none is configured */
export async function startTestServer({
  token = TOKEN,
  anonymous = "viewer",
  apiKeys = [],
  archived = false,
  corsOrigins = [],
  limits = { kind: "fixed", anonymous: 0, known: 0, preset: "minute" },
  maxRules = 10,
}: {
  token?: string | null;
  /** null: who shows nothing is refused, as configured by default */
  anonymous?: "viewer" | null;
  apiKeys?: string[];
  /** An archive is configured, in the folder `archive` of the server's. */
  archived?: boolean;
  corsOrigins?: string[];
  /** default: none */
  limits?: RateLimitOptions;
  maxRules?: number;
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), "weir-api-"));
  await fillStore(join(folder, "store"));
  const child = await openEmbedded({ folder: join(folder, "store"), idleMs: 30_000 });
  const store = await openStore({ folder: join(folder, "store") });
  const health = createHealth({ timeoutMs: 600_000 });
  const metrics = createMetrics({ defaults: false });
  const lines: string[] = [];
  const log = createLog({ stream: { write: (line) => void lines.push(line) } });
  const control = openControl({ folder: join(folder, "store") });
  const rules = await openCatalogue({ control, maxRules });
  const labels = createLabelStore(control);
  const api = {
    ...loadConfig().config.api,
    port: 0,
    apiKeys,
    corsOrigins,
    limits,
    token: token ?? undefined,
    anonymous: anonymous ?? undefined,
  };
  const coverage = () => readCoverage(control);
  const access = createAccess({ control, secret: "a secret for tests only" });
  const place = openFolder(join(folder, "archive"));
  // each answer out of the cache is as fresh as if it were made anew
  const cache = { ...loadConfig().config.cache, freshMs: 0 };
  const exports = { folder: join(folder, "exports"), to: [join(folder, "allowed")], days: 7 };
  const config = { api, cache, exports, nodes: { silentAfter: { seconds: 300, byChain: {} } } };
  const notifications = createNotifications({
    ...{ store, control, labels, log, metrics, secrets: createSecrets(["a key for tests only, 32 letters."]) },
    config: {
      nodes: { silentAfter: { seconds: 300, byChain: {} } },
      notify: notifySettings(),
      kafka: { topics: { txRaw: "tx_raw" } } as Config["kafka"],
    },
  });
  const deps: ApiDeps = {
    store,
    archive: archived ? createArchiveReader(store, place) : undefined,
    health,
    metrics,
    log,
    rules,
    labels,
    registry: builtInRegistry,
    coverage,
    access,
    control,
    config,
    live: {
      feed: createEngineFeed({
        tap: createPublishedTap(),
        ...{ store, log, chains: [1], read: createMessageReader(labels, log) },
      }),
      ...{ maxConnections: 10, heartbeatMs: 30_000, recheckMs: 100 },
    },
    notifications,
    version: "1.2.3",
  };
  const { app, document, listen, hub } = createApi(deps);
  const { url, close } = await listen(api);

  async function get(path: string, init?: RequestInit) {
    const response = await fetch(url + path, { redirect: "manual", ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: () => JSON.parse(text) as unknown };
  }

  return {
    url, folder, store, place, control, notifications, health, metrics, rules, labels, coverage, access, app, document, get,
    hub: hub!,
    ...{ config, logger: log },
    /** Of another node over the same stores. */
    another: (more: Partial<ApiDeps> = {}) => createApi({ ...deps, health: createHealth(), live: undefined, ...more }),
    /** What was logged so far. */
    log: () => lines.join(""),
    /** The body of a 200, which must be exactly what the schema says: nothing missing, nothing more. */
    async read<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
      const { status, text, body } = await get(path);
      expect(status, text).toBe(200);
      const parsed = schema.parse(body());
      expect(parsed).toEqual(body());
      return parsed;
    },
    /** The body of an error, which must be problem+json of that status. */
    async problem(path: string, status: number, init?: RequestInit): Promise<Problem> {
      const answer = await get(path, init);
      expect(answer.status, `${path}: ${answer.text}`).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      const parsed = problemSchema.parse(answer.body());
      expect(parsed).toEqual(answer.body());
      expect(parsed.status).toBe(status);
      return parsed;
    },
    /** Ends the store's process, as a crash would. */
    stopStore: () => child.stop(),
    /** From now on the control store is out of reach. */
    loseControl: () => control.close(),
    async close() {
      await close();
      await control.close();
      await store.close();
      await child.stop();
      await rm(folder, { recursive: true });
    },
  }; // biome-ignore format: one line for what is passed on
}

/** A request with a Host header of one's own, which fetch() does not allow. Gives status and body. */
export function rawRequest(
  url: string,
  {
    path = "/health",
    method = "GET",
    headers = {},
  }: { path?: string; method?: string; headers?: Record<string, string> },
) {
  const { hostname, port } = new URL(url);
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

/** The whole answer to these bytes. */
export function rawAnswer(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.on("error", reject).on("close", () => resolve(text));
  });
}
