import { type BatchFrames, blocksOf } from "../chain/blocks.ts";
import { attachFacts, type ShownFrames } from "../chain/facts/attachFacts.ts";
import { factsOf } from "../chain/facts/factsOf.ts";
import type { Registry } from "../chain/registry/registry.ts";
import { predicatesOf } from "../condition/condition.ts";
import { isFact, ruleField } from "../condition/fields.ts";
import { filterCondition } from "../rules/filterCondition.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import type { ChainBaselines } from "../world/baselines.ts";
import type { Lists } from "../world/world.ts";
import { type BlockFindings, createDetectStage } from "./findings.ts";
import { createRiskStage } from "./risks.ts";

/** Does the rule ask what was found: in its condition, or in its code? Where none does, nobody writes facts. */
export function wantsFacts({ condition, manifest }: Pick<LiveRule, "condition" | "manifest">): boolean {
  if (manifest.facts !== undefined) return true;
  return predicatesOf(condition ?? filterCondition(manifest.filter)).some(({ field: name }) => {
    const field = ruleField(name);
    return field !== undefined && isFact(field);
  });
}

/**
 * The batch as rules are shown it: transactions of which something was found have their facts behind them.
 * @param risks a mask of factors each
 */
export function withFacts<T extends BatchFrames>(
  decoded: T,
  found: readonly BlockFindings[],
  risks: Uint32Array,
): T & ShownFrames {
  return { ...decoded, ...attachFacts(decoded, factsOf(found, risks)) };
}

/** The same for who looks at rules alone: finds what there is to find, which in the engine is there already. */
export function createFactStage(
  registry: Registry,
  lists: Lists,
  baselines?: ChainBaselines,
): <T extends BatchFrames>(decoded: T) => T & ShownFrames {
  const detect = createDetectStage(registry);
  const judge = createRiskStage(lists, baselines);
  return (decoded) => {
    const blocks = blocksOf(decoded);
    const found = detect(blocks);
    return withFacts(decoded, found, judge(decoded, blocks, found));
  };
}
