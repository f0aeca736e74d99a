/** What goes to one recipient at a time. */

import type { AlertRow } from "../../clickhouse/queries/alerts.ts";
import type { Severity } from "../../engine/sandbox/manifest.ts";

/** An alert as templates and webhooks see it: its fields as `GET /api/v1/alerts` has them. */
export type AlertFacts = {
  readonly severity: Severity;
  /** Where its transaction came in (engine/ops/correlationId.ts). This and the next two are null of a chain that fell silent: that is no transaction's. */
  readonly correlation_id: string | null;
  readonly tx_hash: string | null;
  readonly from_address: string | null;
} & Pick<
  AlertRow,
  "id" | "rule" | "rule_version" | "chain_id" | "block_number" | "block_hash" | "to_address" | "message" | "detected_at"
>;

/**
 * - `alert`: one alert; `digest`: several at once
 * - `retraction`: an alert that was sent is of a block that its chain has replaced; or of a silent chain that is heard again
 * - `escalation`: one that nobody acknowledged in time
 * - `trouble`: messages of another channel do not get through
 * - `test`: somebody asked for it
 */
export const MESSAGE_KINDS = ["alert", "digest", "retraction", "escalation", "trouble", "test"] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

export interface Message {
  /** The same for each attempt, so whoever has it already can tell. */
  readonly id: string;
  readonly kind: MessageKind;
  readonly title: string;
  readonly text: string;
  readonly alerts: readonly AlertFacts[];
  /** What the service calls the message of an alert that is retracted, where it can be edited. */
  readonly edits: string | undefined;
}

export interface Receipt {
  /** What the service calls the message, where messages can be edited. */
  readonly ref?: string;
  /** What it answered, for people. */
  readonly answer: string;
}
