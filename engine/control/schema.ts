/** The tables as Drizzle must know them; migrations/ makes them, and says what each column means. */

import type { Part } from "../../clickhouse/exports/manifest.ts";
import type { ExportSpec } from "../../clickhouse/exports/request.ts";
import type { Role } from "../access/roles.ts";
import type { RegistryData } from "../chain/registry/registryData.ts";
import type { ListKind } from "../condition/listKinds.ts";
import type { ParameterValues } from "../sandbox/parameters.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { pgCore, sql } from "./drizzle.ts";

const { bigint, boolean, customType, integer, jsonb, pgTable, text, timestamp } = pgCore;

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const when = (name: string) => timestamp(name, { withTimezone: true, mode: "date" }).notNull().default(sql`now()`);
const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });
const change = () => bigint("change", { mode: "number" }).notNull();

export const RULE_STATES = ["draft", "shadow", "live", "disabled", "quarantined", "throttled"] as const;
export type RuleState = (typeof RULE_STATES)[number];
export const RULE_KINDS = ["wasm", "json"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** One rule of a rule set. */
export interface SetMember {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  readonly shadow: boolean;
  /** Its owner uses too much fuel: it does not run, and what it would have seen is counted. */
  readonly throttled?: true;
  /** Values of its parameters that are not the defaults, if there are any. */
  readonly parameters?: ParameterValues;
}

export const changes = pgTable("changes", {
  one: boolean("one").primaryKey().default(true),
  number: bigint("number", { mode: "number" }).notNull(),
});

export const modules = pgTable("modules", {
  sha256: text("sha256").primaryKey(),
  bytes: bytea("bytes").notNull(),
});

export const admittedModules = pgTable("admitted_modules", {
  sha256: text("sha256").notNull(),
  admission: text("admission").notNull(),
  bytes: bytea("bytes").notNull(),
  manifest: jsonb("manifest").$type<Manifest>().notNull(),
  createdAt: when("created_at"),
});

export const rules = pgTable("rules", {
  name: text("name").primaryKey(),
  owner: text("owner").notNull(),
  state: text("state", { enum: RULE_STATES }).notNull(),
  newestVersion: integer("newest_version").notNull(),
  liveVersion: integer("live_version"),
  shadowVersion: integer("shadow_version"),
  reason: text("reason"),
  since: when("since"),
  createdAt: when("created_at"),
  updatedAt: when("updated_at"),
  change: change(),
});

export const ruleVersions = pgTable("rule_versions", {
  rule: text("rule").notNull(),
  version: integer("version").notNull(),
  kind: text("kind", { enum: RULE_KINDS }).notNull(),
  sha256: text("sha256").notNull(),
  size: integer("size").notNull(),
  manifest: jsonb("manifest").$type<Manifest>().notNull(),
  parameters: jsonb("parameters").$type<ParameterValues>().notNull().default({}),
  uploadedBy: text("uploaded_by").notNull(),
  uploadedAt: when("uploaded_at"),
});

export const ownerQuotas = pgTable("owner_quotas", {
  owner: text("owner").primaryKey(),
  maxRules: integer("max_rules"),
  fuelPerSecond: bigint("fuel_per_second", { mode: "number" }),
  updatedAt: when("updated_at"),
});

export const ruleSets = pgTable("rule_sets", {
  id: text("id").primaryKey(),
  rules: jsonb("rules").$type<readonly SetMember[]>(),
  parts: text("parts").array(),
  createdAt: when("created_at"),
  usedAt: when("used_at"),
});

export const ruleSetParts = pgTable("rule_set_parts", {
  id: text("id").primaryKey(),
  rules: jsonb("rules").$type<readonly SetMember[]>().notNull(),
  usedAt: when("used_at"),
});

export const lists = pgTable("lists", {
  list: bigint("list", { mode: "number" }).primaryKey(),
  name: text("name").notNull(),
  kind: text("kind").$type<ListKind>().notNull(),
  owner: text("owner").notNull(),
  version: integer("version").notNull(),
  content: text("content").notNull(),
  size: integer("size").notNull(),
  editBytes: integer("edit_bytes").notNull(),
  createdAt: when("created_at"),
  updatedAt: when("updated_at"),
  removedAt: timestamp("removed_at", { withTimezone: true, mode: "date" }),
});

export const listSnapshots = pgTable("list_snapshots", {
  list: bigint("list", { mode: "number" }).notNull(),
  version: integer("version").notNull(),
  part: integer("part").notNull(),
  entries: bytea("entries").notNull(),
  createdAt: when("created_at"),
});

export const listEdits = pgTable("list_edits", {
  list: bigint("list", { mode: "number" }).notNull(),
  version: integer("version").notNull(),
  added: bytea("added").notNull(),
  removed: bytea("removed").notNull(),
  createdAt: when("created_at"),
});

/** What a world is kept as. */
export interface WorldContent {
  readonly chains: readonly number[];
  /** Of worlds from before there was one it is not there. */
  readonly registry?: RegistryData;
  readonly lists: readonly ListVersion[];
  /** Version of what is usual, once there is one. */
  readonly baselines?: string;
}

/** One version of a list. */
export interface ListVersion {
  readonly name: string;
  readonly kind: ListKind;
  readonly list: number;
  readonly version: number;
  /** Of its entries. */
  readonly id: string;
}

export const worlds = pgTable("worlds", {
  id: text("id").primaryKey(),
  content: jsonb("content").$type<WorldContent>().notNull(),
  createdAt: when("created_at"),
  usedAt: when("used_at"),
});

export const silences = pgTable("silences", {
  id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  source: text("source").notNull(),
  channel: text("channel").$type<"blocks" | "pending">().notNull(),
  since: at("since").notNull(),
  raisedAt: when("raised_at"),
  recoveredAt: at("recovered_at"),
  told: integer("told").notNull().default(0),
  claimedAt: at("claimed_at"),
});

export const pools = pgTable("pools", {
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  address: text("address").notNull(),
  token0: text("token0").notNull(),
  token1: text("token1").notNull(),
  factory: text("factory"),
  fee: integer("fee"),
  readAt: when("read_at"),
});

export const baselines = pgTable("baselines", {
  id: text("id").primaryKey(),
  entries: bytea("entries").notNull(),
  rows: integer("rows").notNull(),
  madeAt: when("made_at"),
});

export const auditLog = pgTable("audit_log", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: when("at"),
  who: text("who").notNull(),
  action: text("action").notNull(),
  subject: text("subject").notNull(),
  before: jsonb("before"),
  after: jsonb("after"),
  ip: text("ip"),
  via: text("via"),
});

export const labels = pgTable("labels", {
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  address: bytea("address").notNull(),
  name: text("name").notNull(),
  symbol: text("symbol"),
  decimals: integer("decimals"),
  owner: text("owner").notNull(),
  updatedAt: when("updated_at"),
});

export const chainCoverage = pgTable("chain_coverage", {
  id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  source: text("source").notNull(),
  fromBlock: bigint("from_block", { mode: "number" }).notNull(),
  toBlock: bigint("to_block", { mode: "number" }).notNull(),
  proven: boolean("proven").notNull(),
  headBlock: bigint("head_block", { mode: "number" }),
  last: jsonb("last").$type<readonly { readonly number: number; readonly hash: string }[]>().notNull(),
  startedAt: when("started_at"),
  updatedAt: when("updated_at"),
});

export const pendingCoverage = pgTable("pending_coverage", {
  id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  source: text("source").notNull(),
  node: text("node").notNull(),
  via: text("via").notNull(),
  since: timestamp("since", { withTimezone: true, mode: "date" }).notNull(),
  until: timestamp("until", { withTimezone: true, mode: "date" }).notNull(),
  reason: text("reason"),
});

export const users = pgTable("users", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  username: text("username").notNull(),
  passwordHash: text("password_hash"),
  role: text("role").$type<Role>().notNull(),
  disabled: boolean("disabled").notNull().default(false),
  createdAt: when("created_at"),
  updatedAt: when("updated_at"),
  passwordChangedAt: when("password_changed_at"),
  lastLoginAt: at("last_login_at"),
  removedAt: at("removed_at"),
});

export const loginFailures = pgTable("login_failures", {
  username: text("username").primaryKey(),
  failures: integer("failures").notNull(),
  lastAt: at("last_at").notNull(),
  lockedUntil: at("locked_until").notNull(),
});

export const sessions = pgTable("sessions", {
  id: text("id").primaryKey(),
  userId: bigint("user_id", { mode: "number" }).notNull(),
  rotation: integer("rotation").notNull().default(0),
  ip: text("ip"),
  userAgent: text("user_agent"),
  createdAt: when("created_at"),
  usedAt: when("used_at"),
  expiresAt: at("expires_at").notNull(),
  endedAt: at("ended_at"),
  endReason: text("end_reason"),
});

export const apiKeys = pgTable("api_keys", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  userId: bigint("user_id", { mode: "number" }).notNull(),
  name: text("name").notNull(),
  prefix: text("prefix").notNull(),
  hash: bytea("hash").notNull(),
  role: text("role").$type<Role>().notNull(),
  allowIps: jsonb("allow_ips").$type<readonly string[]>(),
  createdAt: when("created_at"),
  expiresAt: at("expires_at"),
  revokedAt: at("revoked_at"),
  lastUsedAt: at("last_used_at"),
  lastIp: text("last_ip"),
  uses: bigint("uses", { mode: "number" }).notNull().default(0),
});

export const jobs = pgTable("jobs", {
  name: text("name").primaryKey(),
  holder: text("holder"),
  heldUntil: at("held_until"),
  ranAt: at("ran_at"),
});

export const notificationChannels = pgTable("notification_channels", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  name: text("name").notNull(),
  kind: text("kind").notNull(),
  settings: jsonb("settings").$type<Record<string, unknown>>().notNull(),
  sealed: text("sealed").notNull(),
  policy: jsonb("policy").$type<Record<string, unknown>>().notNull(),
  owner: text("owner").notNull(),
  enabled: boolean("enabled").notNull().default(true),
  reason: text("reason"),
  createdAt: when("created_at"),
  updatedAt: when("updated_at"),
});

export const notificationPositions = pgTable("notification_positions", {
  source: text("source").notNull(),
  partition: integer("partition").notNull(),
  nextOffset: bigint("next_offset", { mode: "number" }).notNull(),
  updatedAt: when("updated_at"),
});

export const NOTIFICATION_STATES = ["waiting", "sending", "delivered", "suppressed", "dead"] as const;
export type NotificationState = (typeof NOTIFICATION_STATES)[number];

export const notifications = pgTable("notifications", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  channel: bigint("channel", { mode: "number" }).notNull(),
  recipient: text("recipient").notNull(),
  kind: text("kind").notNull(),
  subject: text("subject").notNull(),
  alert: jsonb("alert").$type<Record<string, unknown>>(),
  trouble: text("trouble"),
  dedupKey: text("dedup_key").notNull(),
  state: text("state", { enum: NOTIFICATION_STATES }).notNull(),
  together: boolean("together").notNull(),
  dueAt: at("due_at").notNull(),
  attempts: integer("attempts").notNull().default(0),
  messageId: text("message_id"),
  leasedUntil: at("leased_until"),
  reason: text("reason"),
  ref: text("ref"),
  answer: text("answer"),
  createdAt: at("created_at").notNull(),
  sentAt: at("sent_at"),
  acknowledged: text("acknowledged"),
});

export const notificationSilences = pgTable("notification_silences", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  rules: jsonb("rules").$type<string[]>().notNull(),
  chains: jsonb("chains").$type<string[]>().notNull(),
  addresses: jsonb("addresses").$type<string[]>().notNull(),
  startsAt: at("starts_at").notNull(),
  endsAt: at("ends_at").notNull(),
  comment: text("comment").notNull(),
  createdBy: text("created_by").notNull(),
  createdAt: when("created_at"),
});

export const exportSchedules = pgTable("export_schedules", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  frequency: text("frequency").notNull(),
  cron: text("cron").notNull(),
  spec: jsonb("spec").$type<ExportSpec>().notNull(),
  uploadTo: text("upload_to"),
  createdBy: text("created_by").notNull(),
  createdAt: when("created_at"),
  nextAt: at("next_at").notNull(),
});

export const exports = pgTable("exports", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  scheduleId: bigint("schedule_id", { mode: "number" }),
  status: text("status")
    .$type<"queued" | "running" | "finished" | "failed" | "cancelled">()
    .notNull()
    .default("queued"),
  cancel: boolean("cancel").notNull().default(false),
  spec: jsonb("spec").$type<ExportSpec>().notNull(),
  place: text("place"),
  uploadTo: text("upload_to"),
  createdBy: text("created_by").notNull(),
  createdAt: when("created_at"),
  startedAt: at("started_at"),
  finishedAt: at("finished_at"),
  progress: jsonb("progress")
    .$type<{ readonly rows: number; readonly total_rows: number | null; readonly bytes: number }>()
    .notNull()
    .default({ rows: 0, total_rows: null, bytes: 0 }),
  files: jsonb("files").$type<readonly Pick<Part, "file" | "rows" | "bytes" | "sha256">[]>().notNull().default([]),
  error: text("error"),
});
