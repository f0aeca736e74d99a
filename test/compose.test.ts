/** docker-compose.yml and what it mounts, checked without Docker: against the Compose schema, and against our configuration. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig, rows } from "../engine/ops/config.ts";

const root = new URL("..", import.meta.url).pathname;
const text = readFileSync(join(root, "docker-compose.yml"), "utf8");
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: object;
  networks: object;
};
const variables = new Set(rows().flatMap(([name, { aliases = [] }]) => [name, ...aliases]));
const OURS = Object.keys(compose.services).filter((name) => compose.services[name]!.image.startsWith("weir:"));

interface Service {
  image: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  restart?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  networks?: string[];
  network_mode?: string;
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy?: { resources: { limits: { cpus: string; memory: string } } };
}

/** github.com/compose-spec/compose-spec, schema/compose-spec.json at 170098b (Apache-2.0). It is draft 7, but spells its $schema otherwise. */
function composeSchema(): z.ZodType {
  const schema = JSON.parse(readFileSync(join(root, "test/support/composeSpec.json"), "utf8")) as Record<
    string,
    unknown
  >;
  return z.fromJSONSchema({ ...schema, $schema: "http://json-schema.org/draft-07/schema#" });
}

describe("docker-compose.yml", () => {
  test("follows the Compose schema, which notices mistakes", () => {
    const schema = composeSchema();
    expect(schema.safeParse(compose).error).toBeUndefined();
    for (const broken of [
      { ...compose, servces: {} },
      { ...compose, services: { ...compose.services, extra: { imge: "x" } } },
      { ...compose, services: { ...compose.services, extra: { image: "x", healthcheck: { tests: [] } } } },
      {
        ...compose,
        services: { ...compose.services, extra: { image: "x", depends_on: { kafka: { condition: "fine" } } } },
      },
    ])
      expect(schema.safeParse(broken).success).toBe(false);
  });

  test("has the whole stack, each with a pinned version, limits, a restart policy and a health check", () => {
    const wanted = ["kafka", "clickhouse", "postgres", "redis", "engine", "api", "prometheus", "grafana"];
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(wanted));
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.image, name).toMatch(/:v?\d+\.\d+/);
      expect(service.deploy?.resources.limits, name).toEqual({ cpus: expect.any(String), memory: expect.any(String) });
      expect(service.restart, name).toBeTruthy();
      if (name !== "topics") expect(service.healthcheck?.test[0], name).toBe("CMD");
    }
  });

  test("waits for, shares and mounts only what there is", () => {
    for (const [name, { depends_on = {}, network_mode, networks = [], volumes = [] }] of Object.entries(
      compose.services,
    )) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(compose.services, name).toHaveProperty(other);
        if (condition === "service_healthy")
          expect(compose.services[other]?.healthcheck, `${name} waits for ${other}`).toBeTruthy();
      }
      if (network_mode) expect(compose.services).toHaveProperty(network_mode.replace("service:", ""));
      for (const network of networks) expect(compose.networks).toHaveProperty(network);
      for (const volume of volumes) {
        const [from = ""] = volume.split(":");
        if (from.startsWith("./")) expect(existsSync(join(root, from)), volume).toBe(true);
        else expect(compose.volumes).toHaveProperty(from);
      }
    }
  });

  test("publishes ports on this machine's loopback only", () => {
    for (const port of Object.values(compose.services).flatMap(({ ports = [] }) => ports))
      expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test("names no variable that our configuration does not know", () => {
    const interpolated = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name!);
    expect(interpolated.length).toBeGreaterThan(10);
    expect(interpolated.filter((name) => !variables.has(name))).toEqual([]);
    for (const name of OURS)
      expect(
        Object.keys(compose.services[name]!.environment ?? {}).filter((each) => !variables.has(each)),
        name,
      ).toEqual([]);
  });

  test("gives our services a valid configuration, with the same defaults as ours", () => {
    const env = {
      CLICKHOUSE_PASSWORD: "one password",
      POSTGRES_PASSWORD: "another-one",
      GRAFANA_ADMIN_PASSWORD: "and a third",
    };
    for (const name of OURS) {
      const environment = Object.entries(compose.services[name]!.environment ?? {}).map(([key, value]) => [
        key,
        interpolate(value, env),
      ]);
      const { config } = loadConfig({ env: Object.fromEntries(environment) });
      if (name === "door") continue;
      expect(config.kafka).toMatchObject({
        ...loadConfig().config.kafka,
        brokers: ["kafka:9092"],
        instanceId: name === "engine" ? "engine-1" : undefined,
      });
      expect(config.store).toEqual({
        url: "http://clickhouse:8123",
        database: "weir",
        user: "default",
        password: "one password",
      });
      expect(config.engine).toEqual(loadConfig().config.engine);
      expect(config.data).toBe("/data");
    }
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how Compose writes it
    expect(() => interpolate("${CLICKHOUSE_PASSWORD:?set it in .env}", {})).toThrow("set it in .env");
  });
});

/** What Compose makes of ${NAME}, ${NAME:-default} and ${NAME:?error}. */
function interpolate(value: string, env: Record<string, string>): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = "") => {
    if (env[name]) return env[name];
    if (kind === "?") throw new Error(`${name}: ${rest}`);
    return rest;
  });
}

describe("Prometheus", () => {
  const ops = join(root, "engine/ops");

  test("scrape the ports on which engine, API and watcher listen", () => {
    const { scrape_configs: scrapes } = parse(readFileSync(join(ops, "prometheus/prometheus.yml"), "utf8")) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = scrapes.flatMap(({ static_configs }) => static_configs.flatMap((each) => each.targets));
    const { engine, api, chains } = compose.services;
    const ports = [engine, api].map((service) => service!.environment!.API_PORT);
    expect(targets).toEqual([...ports, chains!.command!.at(-1)].map((port) => `127.0.0.1:${port}`));
    expect(compose.services.door!.entrypoint!.at(-1)).toBe(compose.services.api!.environment!.API_PORT);
  });
});

test("the Dockerfile copies what exists and does not run as root", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  for (const [, from] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const path of from!.split(" ")) expect(existsSync(join(root, path)), path).toBe(true);
  expect(dockerfile).toMatch(/^USER node$/m);
  const scripts = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object }).scripts;
  for (const [, script] of dockerfile.matchAll(/npm run (\S+)/g)) expect(scripts).toHaveProperty([script!]);
});

test("the door hands connections on, and says so when nobody is behind it", async () => {
  const inside = createServer((socket) => socket.end("inside"));
  await new Promise<void>((resolve) => void inside.listen(0, "127.0.0.1", resolve));
  const { port } = inside.address() as { port: number };
  const door = spawn(process.execPath, [join(root, "engine/ops/door.mjs"), "0", String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const outside = await new Promise<number>((resolve) =>
      door.stdout.once("data", (line: Buffer) => resolve(Number(line))),
    );
    expect(await readAll(outside)).toBe("inside");
    await new Promise((resolve) => inside.close(resolve));
    expect(await readAll(outside)).toBe("");
  } finally {
    door.kill();
  }
});

async function readAll(port: number): Promise<string> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    let all = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (part) => (all += part.toString()));
    socket.on("error", () => {}).on("close", () => resolve(all));
  });
}
