import { commonConditions, equal, named, plain } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

export interface DeadLetterFilter extends Omit<CommonFilter, "chainId"> {
  readonly reason?: string | undefined;
  readonly rule?: string | undefined;
  readonly source?: string | undefined;
}

export interface DeadLetterRow extends Position {
  readonly record_time: string;
  readonly reason: string;
  readonly detail: string;
  readonly rule: string;
  readonly size: number;
  readonly sha256: string;
  readonly preview: string;
  readonly cursor: readonly string[];
}

/** A record may have 4 MiB and more; a list shows its beginning. */
export const PREVIEW_BYTES = 256;

export const DEAD_LETTERS: ListSpec = {
  table: "dead_letters",
  keys: "dead_letters",
  order: { time: "record_time", ties: { ...POSITION_TIES, rule: "String" } },
  columns: [
    ...plain("source", "partition", "offset", "n", "reason", "detail", "rule", "size", "record_time"),
    `base64Encode(substring(t.bytes, 1, ${PREVIEW_BYTES})) AS preview`,
  ],
  bytes: named("sha256"),
};

export function deadLetterConditions(filter: DeadLetterFilter): Condition[] {
  return [
    ...commonConditions(filter, "record_time"),
    ...equal("reason", "String", filter.reason),
    ...equal("rule", "String", filter.rule),
    ...equal("source", "String", filter.source),
  ];
}
