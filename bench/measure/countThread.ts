/** What Piscina runs in each thread of countingProcess.ts: decodes a batch and counts what its rules match. */
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
  /** Matches by rule, of all threads. */
  readonly counts: SharedArrayBuffer;
}

export interface Counted {
  readonly transactions: number;
  readonly matches: number;
  /** Records that are no transactions. */
  readonly refused: number;
}

const { mix, rules, counts } = workerData as CountSettings;
const live = liveRules(mixRules(mix, rules), { silent: true });
const numbers = new Map(live.map(({ name }, number) => [name, number]));
const byRule = new Uint32Array(counts);
const decode = createDecoder(createWorld({ chains: CHAINS }));
const stage = createRuleStage(live);

export default function count(batch: Batch): Counted {
  const decoded = decode(batch);
  let matches = 0;
  for (const each of stage(decoded).counts) {
    matches += each.matches;
    Atomics.add(byRule, numbers.get(each.rule)!, each.matches);
  }
  return { transactions: decoded.count, matches, refused: decoded.failures.length };
}
