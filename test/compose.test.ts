/** docker-compose.yml and what it mounts, checked without Docker: against the Compose schema, and against our configuration. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { permissionOf } from "../api/auth/permissions.ts";
import { whereFrom } from "../api/network.ts";
import { isWithin, LOOPBACK } from "../engine/access/ranges.ts";
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

  test("lets the host in through the API's port, with what its credential allows: /metrics is read inside alone", () => {
    const { api, engine, net, prometheus } = compose.services as Record<string, Service>;
    const { ports = [] } = net!;
    expect(ports.map((port) => port.split(":").at(-1))).toEqual([api!.environment!.API_PORT, "9090"]);
    const configOf = ({ environment = {} }: Service) => {
      const secrets = { CLICKHOUSE_PASSWORD: "one password", POSTGRES_PASSWORD: "another-one" };
      const env = Object.entries(environment).map(([key, value]) => [key, interpolate(value, secrets)]);
      return loadConfig({ env: Object.fromEntries(env) }).config.api;
    };
    const door = configOf(api!);
    expect([door.host, configOf(engine!).host]).toEqual(["0.0.0.0", "127.0.0.1"]);
    expect(door.anonymous).toBeUndefined();
    const asked = (peer: string, host: string) => whereFrom({ ...door, allow: door.allowIps }, { peer, host, forwarded: undefined }); // biome-ignore format: one line
    for (const gateway of ["172.18.0.1", "192.168.65.1", "10.0.2.2"]) {
      expect(asked(gateway, "localhost:8000")).toEqual({ address: gateway });
      expect(isWithin(gateway, LOOPBACK)).toBe(false); // so /metrics wants a credential: guard.ts
      expect(asked(gateway, "evil.example").refused).toContain("localhost"); // a page whose name resolves to this machine
    }
    expect(permissionOf("GET /metrics")).toBe("local");
    expect(asked("203.0.113.7", "localhost:8000").refused).toContain("WEIR_ALLOW_IPS");
    for (const inside of [engine, api, prometheus]) expect(inside!.network_mode).toBe("service:net");
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
      if (name === "net") continue;
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
