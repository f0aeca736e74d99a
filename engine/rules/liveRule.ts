import type { Condition } from "../condition/condition.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import type { MemoryContent } from "../sandbox/sharedCode.ts";

/** A rule of a rule set as a worker gets it: a compiled module can be handed to a thread. */
export interface LiveRule extends MemoryContent {
  readonly name: string;
  readonly version: number;
  readonly manifest: Manifest;
  /** What a transaction must be like for the rule to see it; without one, the filter of the manifest says so. */
  readonly condition?: Condition;
  /** null: a JSON rule, which alerts on every transaction it sees. */
  readonly module: WebAssembly.Module | null;
  /** Of a JSON rule: what its alerts say, with fields in braces; without one, its description. */
  readonly message?: string;
  /** Counts its matches and raises no alerts: a version on trial, or a rule that is only to count. */
  readonly silent?: boolean;
  /** A version on trial; a live one of the same name, if there is one, stands right before it. */
  readonly trial?: boolean;
  /** It does not run: what it would have seen is counted. */
  readonly throttled?: boolean;
  /** It ended the threads that ran it with the batch at hand, in this way: in this batch all that it would see are failures. */
  readonly banned?: string | undefined;
}
