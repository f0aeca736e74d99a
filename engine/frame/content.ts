/** What a record claims to be, from its `content-type` header; `unknown` is told from its first byte. */
export const CONTENT = { unknown: 0, json: 1, ndjson: 2, frames: 3 } as const;
export type Content = (typeof CONTENT)[keyof typeof CONTENT];

export const CONTENT_TYPES: Record<string, Content> = {
  "application/json": CONTENT.json,
  "application/x-ndjson": CONTENT.ndjson,
  "application/vnd.weir.frames.v1": CONTENT.frames,
};

/** The length that marks a record without a value: a null of Kafka. */
export const NULL_VALUE = 0xffff_ffff;
