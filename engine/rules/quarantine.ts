/**
 * Takes rules out that fail too often or end threads, and says so in the audit log. What the engine is at goes on meanwhile: the
 * next batch asks the catalogue which rules run.
 */
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import type { Breaker, Evaluated } from "./breaker.ts";
import type { Catalogue } from "./catalogue.ts";

export interface QuarantineGuard {
  /** What the rules did with a batch, in the order of the stream. */
  observe(counts: readonly Evaluated[]): void;
  /** This version must not run again. */
  take(rule: { readonly rule: string; readonly version: number; readonly reason: string }): void;
  /** Resolves when what was begun is done. */
  settled(): Promise<void>;
}

/** Who is named in the audit log. */
const BY = "engine";

export function createQuarantineGuard(parts: {
  readonly catalogue: Pick<Catalogue, "get" | "change">;
  readonly breaker: Breaker;
  readonly log: Log;
}): QuarantineGuard {
  const { catalogue, breaker, log } = parts;
  let working: Promise<void> = Promise.resolve();

  async function quarantine({ rule, version, reason }: Parameters<QuarantineGuard["take"]>[0]): Promise<void> {
    const known = catalogue.get(rule);
    const runs = known && (known.state === "live" || known.state === "shadow");
    try {
      // Batches of the rule set before may still report what has been dealt with since.
      if (!runs || (known.liveVersion !== version && known.shadowVersion !== version)) return;
      await catalogue.change(rule, "quarantine", { by: BY, version, reason: `version ${version}: ${reason}` });
      log.error(
        { event: "rule_quarantined", rule, version, reason },
        "Took a rule, or its version on trial, out; release it, or upload it anew, once it is mended",
      );
    } catch (error) {
      const why = messageOf(error);
      log.error(
        { event: "quarantine_failed", rule, version, reason: why },
        "Cannot take a rule out; it goes on failing",
      );
    } finally {
      breaker.release(rule, version); // counts afresh: should it run again, or still
    }
  }

  const take: QuarantineGuard["take"] = (rule) => {
    working = working.then(() => quarantine(rule));
  };
  return {
    take,
    observe(counts) {
      for (const decision of breaker.observe(counts)) take(decision);
    },
    settled: () => working,
  };
}
