/**
 * What every worker thread needs to know of manifests. How they are read is in parseManifest.ts, whose checker costs a thread
 * 150 ms to load.
 */

/** In the order of the severity byte in a result record. */
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a rule may be called, here and in the API's paths. */
export const RULE_NAME = {
  pattern: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  expected: "Expected 1 to 64 of a-z 0-9 - _, beginning with a letter or digit",
} as const;

/** Largest manifest in UTF-16 code units: 1,024 addresses twice, 256 topics and some. */
export const MAX_MANIFEST_LENGTH = 128 * 1024;
