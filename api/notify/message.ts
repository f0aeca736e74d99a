/** What goes to one recipient at a time. */

/** An alert as templates and webhooks see it: its fields as `GET /api/v1/alerts` has them. */
export interface AlertFacts {
  readonly id: string;
  readonly rule: string;
  readonly rule_version: number;
  readonly severity: Severity;
  readonly chain_id: string;
  readonly tx_hash: string;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly message: string;
  readonly detected_at: string;
}

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * - `alert`: one alert; `digest`: several at once
 * - `retraction`: an alert that was sent is of a block that its chain has replaced
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
