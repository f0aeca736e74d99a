/** What the engine makes, for whoever listens in this process: each outcome once when its ledger has been committed, and before that as it is made. */
import type { Batch } from "../source/batch.ts";
import type { Outcome } from "../worker/outcome.ts";

export type Published = readonly { readonly batch: Batch; readonly outcome: Outcome }[];

export interface PublishedTap {
  published(outcomes: Published): void;
  /** The listener must not throw, nor keep the batches: they are the stream's memory. @returns stops it */
  listen(listener: (outcomes: Published) => void): () => void;
  worked(outcome: Outcome): void;
  /** Before anything of it is published, and again should the engine make it anew. @returns stops it */
  listenEarly(listener: (outcome: Outcome) => void): () => void;
}

export function createPublishedTap(): PublishedTap {
  const listeners = new Set<(outcomes: Published) => void>();
  const early = new Set<(outcome: Outcome) => void>();
  return {
    published(outcomes) {
      for (const listener of listeners) listener(outcomes);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    worked(outcome) {
      for (const listener of early) listener(outcome);
    },
    listenEarly(listener) {
      early.add(listener);
      return () => void early.delete(listener);
    },
  };
}
