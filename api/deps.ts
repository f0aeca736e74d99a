/** What the API needs of the rest, and nothing more. */
import type { Config } from "../engine/ops/config.ts";
import type { Health } from "../engine/ops/health.ts";
import type { Log } from "../engine/ops/log.ts";
import type { Metrics } from "../engine/ops/metrics.ts";
import type { RuleInfo, UploadResult } from "../engine/rules/catalogue.ts";

export interface ApiDeps {
  readonly store: ReadableStore;
  readonly rules: RulesCatalogue;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly config: Pick<Config, "api">;
  /** shown in /health and /openapi.json */
  readonly version: string;
}

/** The part of the store that reads. */
export interface ReadableStore {
  /** Rows as objects; `params` are bound to `{name:Type}`. Cannot write. Rejects with StoreUnavailable or StoreRefused. */
  rows<T>(sql: string, params?: Record<string, unknown>, settings?: Record<string, string | number>): Promise<T[]>;
}

/** Rules by name, whatever keeps them. */
export interface RulesCatalogue {
  list(): readonly RuleInfo[];
  get(name: string): RuleInfo | undefined;
  /** Admits a module and makes it the rule's next version, or says why not. The manifest's name must be `name`. */
  upload(name: string, wasm: Uint8Array): Promise<UploadResult>;
  setState(name: string, state: "live" | "disabled"): Promise<RuleInfo>;
}

export type { RuleInfo };

export const RULE_STATES = ["draft", "shadow", "live", "disabled", "quarantined"] as const;
export type RuleState = (typeof RULE_STATES)[number];
