/**
 * Owners over their fuel: their greediest rules are throttled, and released after a while. Both are changes of the catalogue, like
 * a quarantine, so a batch has them or has them not, and a replay of it has the same. A throttled rule stays in the rule set: what it would
 * have been shown is counted (`skipped` in rule_stats), and the stream goes on.
 */
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import type { Outcome } from "../worker/outcome.ts";
import type { Catalogue, RuleChange } from "./catalogue.ts";
import { createFuelMeter, type Greedy } from "./fuelMeter.ts";
import type { Owners } from "./owners.ts";

export interface Throttle {
  /** What the rules did with a batch, in the order of the stream. */
  observe(outcome: Pick<Outcome, "rules" | "minutes" | "transactions">): void;
  /** Lets rules run again that have waited long enough. To be called now and then. */
  release(): void;
  /** Resolves when what was begun is done. */
  settled(): Promise<void>;
}

export interface ThrottleOptions {
  readonly catalogue: Pick<Catalogue, "get" | "list" | "countByOwner" | "changeEach"> & {
    readonly owners: Pick<Owners, "quotaOf">;
  };
  readonly log: Log;
  /** How long a rule waits. */
  readonly coolDownMs: number;
  /** Told of each rule that was throttled. */
  readonly onThrottled?: (rule: string) => void;
  /** ms since 1970 */
  readonly now?: () => number;
}

/** Who is named in the audit log. */
const BY = "engine";

export function createThrottle({ catalogue, log, coolDownMs, onThrottled, now = Date.now }: ThrottleOptions): Throttle {
  let working: Promise<void> = Promise.resolve();
  /** Being throttled: batches that ran with them may still report. */
  const stopping = new Set<string>();
  let releasing = false;

  const meter = createFuelMeter({
    ownerOf(rule) {
      const known = catalogue.get(rule);
      const runs = known?.state === "live" || known?.state === "shadow";
      return runs && !stopping.has(rule) ? known.owner : undefined;
    },
    quotaOf: (owner) => catalogue.owners.quotaOf(owner).fuelPerSecond,
  });

  async function change(changes: readonly RuleChange[], failed: string): Promise<readonly string[]> {
    try {
      return await catalogue.changeEach(changes, BY);
    } catch (error) {
      logSeldom(log, "error", { event: "throttle_failed", reason: messageOf(error) }, failed);
      return [];
    }
  }

  async function throttle(greedy: readonly Greedy[]): Promise<void> {
    const changes = greedy.map(
      ({ rule, version, reason }): RuleChange => ({
        name: rule,
        action: "throttle",
        ...{ version, reason: `version ${version}: ${reason}` },
      }),
    );
    const changed = await change(changes, "Cannot throttle rules; they go on using too much fuel");
    for (const name of changed) {
      onThrottled?.(name);
      const reason = catalogue.get(name)?.reason;
      log.warn(
        { event: "rule_throttled", rule: name, reason, seconds: coolDownMs / 1_000 },
        "Throttled a rule, or ended its trial, since its owner uses too much fuel; it runs again after a while",
      );
    }
    for (const { rule } of greedy) stopping.delete(rule);
  }

  async function releaseDue(): Promise<void> {
    if (![...catalogue.countByOwner().values()].some(({ throttled }) => throttled > 0)) return;
    const due = catalogue
      .list()
      .filter(({ state, since }) => state === "throttled" && since.getTime() + coolDownMs <= now());
    if (due.length === 0) return;
    const changes = due.map(({ name }): RuleChange => ({ name, action: "release", from: "throttled" }));
    for (const name of await change(changes, "Cannot release throttled rules; trying again"))
      log.info({ event: "rule_released", rule: name }, "A rule that was throttled runs again");
  }

  return {
    observe(outcome) {
      const greedy = meter.observe(outcome);
      if (greedy.length === 0) return;
      for (const { rule } of greedy) stopping.add(rule);
      working = working.then(() => throttle(greedy));
    },
    release() {
      if (releasing) return;
      releasing = true;
      working = working.then(releaseDue).finally(() => {
        releasing = false;
      });
    },
    settled: () => working,
  };
}
