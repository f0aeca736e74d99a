/**
 * Streams last longer than what they were opened with: every minute it is asked whether each one's key, session or user still goes on. Of many streams of
 * one credential once.
 */

import { messageOf } from "../../engine/ops/errors.ts";
import type { Log } from "../../engine/ops/log.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import type { Principal } from "../auth/principal.ts";

export interface Vigil {
  /** @param end called once when the principal is nobody any more @returns stops that */
  watch(principal: Principal, end: () => void): () => void;
  close(): void;
}

export const RECHECK_MS = 60_000;

export function createVigil({
  stillIs,
  everyMs,
  log,
}: {
  stillIs: (principal: Principal) => Promise<boolean>;
  everyMs: number;
  log: Log;
}): Vigil {
  const watched = new Set<{ readonly principal: Principal; readonly end: () => void }>();

  async function look(): Promise<void> {
    const asked = new Map<string, boolean>();
    for (const stream of [...watched]) {
      const { id, via } = stream.principal;
      const credential = `${id} ${via}`;
      if (!asked.has(credential)) asked.set(credential, await stillIs(stream.principal));
      if (!asked.get(credential) && watched.delete(stream)) stream.end();
    }
  }
  const timer = setInterval(() => {
    look().catch(
      (error: unknown) =>
      // they go on: what is not known is no reason to cut them off
      logSeldom(log, "warn", { event: "streams_unchecked", reason: messageOf(error) }, "Cannot tell whether streams may go on"), // biome-ignore format: one line
    );
  }, everyMs).unref();

  return {
    watch(principal, end) {
      const stream = { principal, end };
      watched.add(stream);
      return () => void watched.delete(stream);
    },
    close: () => clearInterval(timer),
  };
}
