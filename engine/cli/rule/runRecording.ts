/** One rule over one recording. */

import type { Decoded } from "../../worker/decode.ts";
import type { Lists } from "../../world/world.ts";
import { createEvaluator, type Evaluated, type Totals } from "./evaluate.ts";
import type { LoadedRule } from "./loadRule.ts";
import { recordingBatches } from "./recordingBatches.ts";

export interface RunOptions {
  /** Records of a batch; the results do not depend on it. */
  readonly batch?: number;
  /** Those that the rule names. */
  readonly lists?: Lists;
  /** Lines of a batch, in order; `decoded` is valid until it resolves. */
  lines(found: readonly Evaluated[], decoded: Decoded): Promise<void> | void;
  progress?(lines: number): void;
}

export interface RunResult extends Totals {
  /** records that could not be decoded */
  readonly refused: number;
  /** why the first could not */
  readonly firstRefused: string | undefined;
}

export async function runRecording(
  { rule }: LoadedRule,
  recording: string,
  { batch, lists, lines, progress }: RunOptions,
): Promise<RunResult> {
  const evaluator = createEvaluator(rule, lists);
  let refused = 0;
  let firstRefused: string | undefined;
  for await (const { decoded, lines: read } of recordingBatches(recording, batch)) {
    refused += decoded.failures.length;
    firstRefused ??= decoded.failures[0]?.detail;
    await lines(evaluator.evaluate(decoded), decoded);
    progress?.(read);
  }
  return { ...evaluator.totals(), refused, firstRefused };
}
