/** What the API needs of the rest, and nothing more. */
import type { ArchiveReader } from "../clickhouse/archive/reader.ts";
import type { Stillness } from "../clickhouse/embedded/stillness.ts";
import type { Access } from "../engine/access/access.ts";
import type { Registry } from "../engine/chain/registry/registry.ts";
import type { Control } from "../engine/control/open.ts";
import type { LabelStore } from "../engine/label/labels.ts";
import type { Config } from "../engine/ops/config.ts";
import type { Health } from "../engine/ops/health.ts";
import type { Log } from "../engine/ops/log.ts";
import type { Metrics } from "../engine/ops/metrics.ts";
import type { RedisConnection } from "../engine/ops/redis.ts";
import type { Catalogue } from "../engine/rules/catalogue.ts";
import type { CoverageOfChains } from "../engine/source/rpc/coverage.ts";
import type { LiveOptions } from "./live/live.ts";
import type { Notifications } from "./notify/start.ts";

export interface ApiDeps {
  readonly store: ReadableStore;
  readonly rules: RulesCatalogue;
  readonly labels: LabelStore;
  /** Names of chains and of their coins, with prices where they are configured. */
  readonly registry: Pick<Registry, "chains">;
  /** What was looked at, of each chain. Rejects with ControlUnavailable. */
  readonly coverage: () => Promise<CoverageOfChains>;
  readonly access: Access;
  /** What API nodes share: counts of requests, used tickets, cached answers; undefined: each is alone. */
  readonly redis?: Pick<RedisConnection, "redis" | "attempt"> | undefined;
  readonly control: Control;
  /** undefined: none is configured. */
  readonly archive?: ArchiveReader | undefined;
  readonly notifications: Omit<Notifications, "notifier" | "configure">;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly config: Pick<Config, "api" | "cache" | "exports"> & { readonly nodes: Pick<Config["nodes"], "silentAfter"> };
  /** Where live events come from, and how many streams there may be; undefined: there are none. */
  readonly live?: Pick<LiveOptions, "feed" | "maxConnections" | "heartbeatMs" | "recheckMs">;
  /** shown in /health and /openapi.json */
  readonly version: string;
}

/** The part of the store that reads. */
export interface ReadableStore {
  /** Rows as objects; `params` are bound to `{name:Type}`. Cannot write. Rejects with StoreUnavailable or StoreRefused. */
  rows<T>(sql: string, params?: Record<string, unknown>, settings?: Record<string, string | number>): Promise<T[]>;
  /** A server may be one of several: what others wrote is not in its parts yet. */
  readonly kind?: "embedded" | "server";
  /** As the store's (clickhouse/client.ts). */
  stillness?(tables: readonly string[]): Stillness | undefined;
}

/** Rules by name, as far as the API lists and changes them. */
export type RulesCatalogue = Pick<
  Catalogue,
  | "list"
  | "get"
  | "upload"
  | "change"
  | "setParameters"
  | "versions"
  | "version"
  | "audit"
  | "owners"
  | "countByOwner"
  | "lists"
  | "listsFor"
  | "worldOf"
  | "naming"
>;
