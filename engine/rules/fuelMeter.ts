/**
 * What the rules of an owner use for a second of the stream. Measured by event time, minute by minute, and by no clock: a stream that is
 * caught up with after an outage, or replayed in a tenth of its time, costs its owners what it would have cost live.
 *
 * Timestamps are strangers'. A minute that is far off is a minute of its own: it holds little, and moves no other.
 */
import type { Outcome } from "../worker/outcome.ts";
import { ruleKey } from "./ruleKey.ts";

/** A rule version of an owner that is over its quota. */
export interface Greedy {
  readonly rule: string;
  readonly version: number;
  /** In words, for its owner. */
  readonly reason: string;
}

export interface FuelMeterOptions {
  /** Of a rule; undefined when what it used does not count: it is stopped by now. */
  readonly ownerOf: (rule: string) => string | undefined;
  /** Fuel that an owner's rules may use for a second of the stream. */
  readonly quotaOf: (owner: string) => number;
}

export interface FuelMeter {
  /**
   * Takes what a batch used. Once the rules of an owner have used up what they may in a minute, it names those that used most:
   * as few as make up half of it. The rest begins anew, and should it still be too much, the next half follows.
   */
  observe(outcome: Pick<Outcome, "rules" | "minutes" | "transactions">): Greedy[];
}

/** Minutes of an owner that are looked at: those that came last. */
const KEPT_MINUTES = 16;

interface Account {
  /** Fuel by minute of event time, in the order in which they came. */
  readonly minutes: Map<number, number>;
  /** By ruleKey, since the newest of them came. */
  readonly rules: Map<string, Used>;
}

interface Used {
  readonly rule: string;
  readonly version: number;
  fuel: number;
}

export function createFuelMeter({ ownerOf, quotaOf }: FuelMeterOptions): FuelMeter {
  const accounts = new Map<string, Account>();

  function accountOf(owner: string): Account {
    const account = accounts.get(owner) ?? { minutes: new Map(), rules: new Map() };
    accounts.set(owner, account);
    return account;
  }

  /** By owner: what each of its rules used for the batch. */
  function byOwner(rules: Outcome["rules"]): Map<string, Used[]> {
    const owners = new Map<string, Used[]>();
    for (const { rule, version, fuel } of rules) {
      const owner = fuel > 0 ? ownerOf(rule) : undefined;
      if (owner === undefined) continue;
      const used = { rule, version, fuel };
      const known = owners.get(owner);
      if (known) known.push(used);
      else owners.set(owner, [used]);
    }
    return owners;
  }

  function greedyOf(owner: string, { rules }: Account, fuel: number): Greedy[] {
    const all = [...rules.values()].sort((a, b) => b.fuel - a.fuel);
    const half = sumOf(all) / 2;
    const greedy: Greedy[] = [];
    for (let taken = 0, i = 0; taken < half; i++) {
      const { rule, version, fuel: own } = all[i]!;
      taken += own;
      const share = Math.round((own / (half * 2)) * 100);
      const reason = `The rules of "${owner}" used ${fuel} fuel for a minute of the stream, expected at most ${quotaOf(owner)} a second; this one used ${share} %`;
      greedy.push({ rule, version, reason });
    }
    return greedy;
  }

  return {
    observe({ rules, minutes, transactions }) {
      const greedy: Greedy[] = [];
      for (const [owner, used] of byOwner(rules)) {
        const account = accountOf(owner);
        const fuel = sumOf(used);
        const limit = quotaOf(owner) * 60;
        let most = 0;
        for (const [minute, count] of minutes) {
          const known = account.minutes.get(minute);
          if (known === undefined) account.rules.clear();
          const total = (known ?? 0) + (fuel * count) / transactions;
          account.minutes.set(minute, total);
          most = Math.max(most, total);
        }
        for (const each of used) addTo(account.rules, each);
        for (const old of [...account.minutes.keys()].slice(0, -KEPT_MINUTES)) account.minutes.delete(old);
        if (most <= limit) continue;
        greedy.push(...greedyOf(owner, account, Math.round(most)));
        accounts.delete(owner);
      }
      return greedy;
    },
  };
}

const sumOf = (all: readonly Used[]): number => all.reduce((sum, { fuel }) => sum + fuel, 0);

function addTo(rules: Map<string, Used>, { rule, version, fuel }: Used): void {
  const key = ruleKey({ name: rule, version });
  const known = rules.get(key);
  if (known) known.fuel += fuel;
  else rules.set(key, { rule, version, fuel });
}
