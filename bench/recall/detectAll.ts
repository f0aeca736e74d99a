import { createDetector } from "../../engine/chain/detect.ts";
import { findingRecord } from "../../engine/chain/findingJson.ts";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import { recordingBlocks } from "../../engine/cli/detect/recordingBlocks.ts";
import { UserError } from "../../engine/ops/errors.ts";
import type { Line } from "./recall.ts";

/** What `weir detect` prints of a recording. @throws UserError for a line that is no transaction */
export async function detectAll(recording: string): Promise<Line[]> {
  const detect = createDetector({ registry: builtInRegistry });
  const lines: Line[] = [];
  const onBroken = (line: number, reason: string): never => {
    throw new UserError(`${recording}:${line}: ${reason}`);
  };
  for await (const view of recordingBlocks(recording, { onBroken }))
    for (const finding of detect(view)) lines.push(findingRecord(view, finding) as Line);
  return lines;
}
