/**
 * The world: what a worker may know beyond its batch. An immutable snapshot, named by the hash of its content: a range of the
 * ledger names the world it ran in, so a replay runs in the same one.
 */
import { createHash } from "node:crypto";

export interface World {
  readonly id: string;
  /** Chains whose transactions are taken; others are dead letters. */
  readonly chains: readonly number[];
}

export function createWorld(content: Omit<World, "id">): World {
  const chains = [...new Set(content.chains)].sort((a, b) => a - b);
  return { id: contentId({ chains }), chains };
}

/** 16 hex digits of sha256 over the JSON: 64 bits, so among a million snapshots a collision has a chance of 3 in 10^8. */
export function contentId(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}
