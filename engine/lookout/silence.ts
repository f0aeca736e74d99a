/** Which channels of coverage have fallen silent: a dead-man's switch for each. */
import type { CoverageOfChains } from "../source/rpc/coverage.ts";

/** What a watcher puts of a chain. */
export interface Channel {
  readonly chainId: number;
  /** `watch <topic>` */
  readonly source: string;
  readonly channel: "blocks" | "pending";
  /** The last sign of life. */
  readonly lastAt: Date;
}

/** Seconds without a sign; 0: never silent. */
export interface SilenceLimits {
  readonly seconds: number;
  readonly byChain: Readonly<Record<number, number>>;
}

/** Of watchers: a backfill comes to its end. */
export function channelsOf({ stretches, pending }: Pick<CoverageOfChains, "stretches" | "pending">): Channel[] {
  const channels = new Map<string, Channel>();
  const add = (found: Channel): void => {
    const key = `${found.chainId} ${found.channel} ${found.source}`;
    const other = channels.get(key);
    if (found.source.startsWith("watch ") && !(other && other.lastAt >= found.lastAt)) channels.set(key, found);
  };
  for (const { chainId, source, updatedAt } of stretches)
    add({ chainId, source, channel: "blocks", lastAt: updatedAt });
  for (const { chainId, source, until } of pending) add({ chainId, source, channel: "pending", lastAt: until });
  return [...channels.values()];
}

export const limitOf = ({ seconds, byChain }: SilenceLimits, chainId: number): number => byChain[chainId] ?? seconds;

/** @param now Unix ms */
export function isSilent({ chainId, lastAt }: Channel, limits: SilenceLimits, now: number): boolean {
  const seconds = limitOf(limits, chainId);
  return seconds > 0 && now - lastAt.getTime() > 1_000 * seconds;
}

/** As people read it. */
export const describeSilence = ({ chainId, source, channel, lastAt }: Channel, limits: SilenceLimits): string =>
  `Chain ${chainId}: no ${channel === "blocks" ? "block" : "pending transactions"} of "${source}" since ${lastAt.toISOString()}, expected within ${limitOf(limits, chainId)} s. Is its watcher running (weir watch), are its nodes up (weir doctor)?`;
