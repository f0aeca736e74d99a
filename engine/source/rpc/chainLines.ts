import { blockLines, pendingLine, type RecordingLine } from "../recordingLine.ts";
import type { ChainEvent } from "./follow.ts";

/** First sightings remembered for the lines of blocks to come, about 150 B each. */
const MAX_REMEMBERED = 500_000;

/** Makes the recording's lines of what a chain does: a mined transaction has the time at which it was first seen pending. */
export function createChainLines(chainId: number): (event: ChainEvent) => RecordingLine[] {
  const firstSeen = new Map<string, number>();
  return (event) => {
    if (event.kind === "block") {
      const told = { market: event.scanned?.market, pools: event.traded };
      return blockLines(chainId, event, (hash) => firstSeen.get(hash.toLowerCase()), told);
    }
    if (event.kind !== "pending") return [];
    return event.sightings.map(({ transaction, seenAt, market }) => {
      const line = pendingLine(chainId, transaction, seenAt, market);
      firstSeen.set(line.hash, seenAt);
      if (firstSeen.size > MAX_REMEMBERED) firstSeen.delete(firstSeen.keys().next().value!);
      return line;
    });
  };
}
