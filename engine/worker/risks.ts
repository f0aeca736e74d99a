import type { BatchBlock, BatchFrames } from "../chain/blocks.ts";
import type { BlockView } from "../chain/blockView.ts";
import { createRiskScorer } from "../chain/risk/riskScorer.ts";
import type { ChainBaselines } from "../world/baselines.ts";
import { KNOWN_BAD, type Lists } from "../world/world.ts";
import type { BlockFindings } from "./findings.ts";

/**
 * The risk of each transaction of a batch, by number, as a mask of factors (chain/risk/factors.ts): mined ones with their blocks, so that
 * prices are compared and victims known; the others, which no block has, by themselves.
 */
export function createRiskStage(lists: Lists, baselines?: ChainBaselines) {
  const list = lists.get(KNOWN_BAD);
  const score = createRiskScorer({ knownBad: list?.bytes === 20 ? list : undefined, baselines });

  return (decoded: BatchFrames, blocks: readonly BatchBlock[], found: readonly BlockFindings[]): Uint32Array => {
    const { count, bytes, words, frames } = decoded;
    const risks = new Uint32Array(count);
    const scratch = new Uint32Array(count);
    const isSeen = new Uint8Array(count);
    const take = (view: BlockView, numbers: readonly number[], victims?: ReadonlySet<number>): void => {
      score(view, scratch, victims);
      numbers.forEach((number, i) => {
        risks[number] = scratch[i]!;
        isSeen[number] = 1;
      });
    };
    const victims = new Map(found.map(({ block, findings }) => [block, victimsOf(findings)]));
    for (const block of blocks) take(block, block.numbers, victims.get(block));
    const rest: number[] = [];
    const restFrames: number[] = [];
    for (let number = 0; number < count; number++) {
      if (isSeen[number] === 1) continue;
      rest.push(number);
      restFrames.push(frames[number]!);
    }
    take({ bytes, u32: words, chainId: 0, blockNumber: undefined, complete: false, frames: restFrames }, rest);
    return risks;
  };
}

const victimsOf = (findings: BlockFindings["findings"]): ReadonlySet<number> =>
  new Set(findings.flatMap((finding) => (finding.kind === "sandwich" ? finding.victims : [])));
