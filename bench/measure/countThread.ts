/** What Piscina runs in each thread of countingProcess.ts: decodes a batch and counts what its rules match. */
import { threadId } from "node:worker_threads";
import { workerData } from "piscina";
import type { Batch } from "../../engine/source/batch.ts";
import { createDecoder } from "../../engine/worker/decode.ts";
import { createRuleStage } from "../../engine/worker/ruleStage.ts";
import { createWorld } from "../../engine/world/world.ts";
import { CHAINS } from "../load/frames.ts";
import { liveRules } from "../load/liveRules.ts";
import { type MixName, mixRules } from "../load/ruleMix.ts";

export interface CountSettings {
  readonly mix: MixName;
  readonly rules: number;
  /** Matches by rule, thread by thread. */
  readonly counts: SharedArrayBuffer;
}

export interface Counted {
  readonly transactions: number;
  readonly matches: number;
  /** Records that are no transactions. */
  readonly refused: number;
}

const { mix, rules, counts } = workerData as CountSettings;
/** Of this thread alone: the threads' additions to the same words took 10 % of their time. */
const byRule = new Uint32Array(counts, 4 * rules * (threadId - 1), rules);
const decode = createDecoder(createWorld({ chains: CHAINS }));
const stage = createRuleStage(liveRules(mixRules(mix, rules), { silent: true }));

export default function count(batch: Batch): Counted {
  const decoded = decode(batch);
  let matches = 0;
  const { counted } = stage(decoded);
  for (let i = 0; i < counted.rules.length; i++) {
    matches += counted.seen[i]!;
    byRule[counted.rules[i]!]! += counted.seen[i]!;
  }
  return { transactions: decoded.count, matches, refused: decoded.failures.length };
}
