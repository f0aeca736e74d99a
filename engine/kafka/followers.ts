/** Who follows a topic beside the stream (followTopic.ts): each has a group of its own, whose position goes with what it stored. */
import type { Config } from "../ops/config.ts";

export type FollowerName = "retractions" | "solana" | `processor-${string}`;

export const followerGroup = (groupId: string, name: FollowerName): string => `${groupId}-${name}`;

/** @returns `source` is what rows carry that it stores by position; undefined: it stores none */
export const followers = ({
  groupId,
  topics,
}: Config["kafka"]): { group: string; topic: string; source: string | undefined }[] => [
  { group: followerGroup(groupId, "retractions"), topic: topics.blockStatus, source: undefined },
  {
    group: followerGroup(groupId, "solana"),
    topic: topics.arbitrageTransactions,
    source: topics.arbitrageTransactions,
  },
];
