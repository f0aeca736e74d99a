/** Answers that are kept: in memory, and behind that in Redis where one is configured. What many ask for at once is made once. */
import type { Metrics } from "../../engine/ops/metrics.ts";
import type { Answer, AnswerStore } from "./answer.ts";
import type { Versions } from "./versions.ts";

/** As seed 002 has them. */
export const KINDS = ["opportunities", "stats", "leaderboard"] as const;
export type Kind = (typeof KINDS)[number];

export interface CacheOptions {
  readonly memory: AnswerStore;
  /** undefined: there is no Redis. */
  readonly shared?: AnswerStore | undefined;
  readonly versions: () => Promise<Versions>;
  /** How long an answer is kept; 0: not at all. */
  readonly ttlMs: Readonly<Record<Kind, number>>;
  readonly metrics: Pick<Metrics, "cacheHits" | "cacheMisses">;
}

export interface Wanted {
  readonly kind: Kind;
  /** What it is made of. */
  readonly tables: readonly string[];
  /** Names it among all answers. */
  readonly name: string;
}

export type Made = Omit<Answer, "version">;

export interface Found {
  readonly answer: Made;
  /** `waiting`: another request made it meanwhile; `off`: its kind is not kept. */
  readonly from: "memory" | "redis" | "waiting" | "made" | "off";
}

export interface Cache {
  /**
   * @param make makes the answer; what is no 200 is given to those who wait for it, and not kept
   * @throws StoreUnavailable: not even versions can be read
   */
  read(wanted: Wanted, make: () => Promise<Made>): Promise<Found>;
}

export function createCache({ memory, shared, versions, ttlMs, metrics }: CacheOptions): Cache {
  const making = new Map<string, Promise<Found>>();

  async function find({ kind, name }: Wanted, version: string, make: () => Promise<Made>): Promise<Found> {
    const known = await memory.get(name);
    if (known?.version === version) return { answer: known, from: "memory" };
    const others = await shared?.get(name);
    if (others?.version === version) {
      await memory.put(name, others, ttlMs[kind]);
      return { answer: others, from: "redis" };
    }
    const answer = { version, ...(await make()) };
    if (answer.status === 200)
      await Promise.all([memory.put(name, answer, ttlMs[kind]), shared?.put(name, answer, ttlMs[kind])]);
    return { answer, from: "made" };
  }

  async function read(wanted: Wanted, make: () => Promise<Made>): Promise<Found> {
    const all = await versions(); // before the answer is made: what is written meanwhile is another version
    const version = wanted.tables.map((table) => all.get(table) ?? "").join(" ");
    const flight = `${version} ${wanted.name}`;
    const waiting = making.get(flight);
    if (waiting) return { answer: (await waiting).answer, from: "waiting" };
    const finding = find(wanted, version, make).finally(() => making.delete(flight));
    making.set(flight, finding);
    return finding;
  }

  return {
    async read(wanted, make) {
      const { kind: cache } = wanted;
      if (ttlMs[cache] === 0) return { answer: await make(), from: "off" };
      const found = await read(wanted, make);
      if (found.from === "made") metrics.cacheMisses.inc({ cache });
      else metrics.cacheHits.inc({ cache, from: found.from });
      return found;
    },
  };
}
