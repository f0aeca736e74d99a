/** Which blocks of which chains were looked at, so that "nothing found" differs from "not looked at"; in the control store. */
import { and, asc, desc, eq, sql } from "../../control/drizzle.ts";
import type { Control } from "../../control/open.ts";
import { chainCoverage as blocks, pendingCoverage as pendings } from "../../control/schema.ts";
import type { PendingSource } from "./pendingWatch.ts";
import type { BlockRef, ReadBlock } from "./readBlock.ts";

/** Blocks without a gap. */
export interface Stretch {
  readonly chainId: number;
  /** `watch <topic>`, or `backfill <topic> <from>-<to>`. */
  readonly source: string;
  readonly from: number;
  readonly to: number;
  /** Newest block that a node had named when the last was put; null: not noted. */
  readonly headBlock: number | null;
  /** Each block's header and roots were verified. */
  readonly proven: boolean;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

/** When pending transactions were seen. */
export interface PendingInterval {
  readonly chainId: number;
  readonly source: string;
  readonly node: string;
  readonly via: string;
  readonly since: Date;
  /** When it was last known to work. */
  readonly until: Date;
  /** Why it ended; null while it goes on, or when the watcher was stopped. */
  readonly reason: string | null;
}

/** What one source has seen of one chain, as it is written down. Everything throws ControlUnavailable. */
export interface Coverage {
  /** The last blocks of the stretch that was put last, ascending: where to go on. Empty at the very beginning. */
  position(): Promise<readonly BlockRef[]>;
  /**
   * A block was put.
   * @param last the last blocks, this one at the end
   * @param head the newest that a node has named
   */
  block(block: Pick<ReadBlock, "number" | "proof">, last: readonly BlockRef[], head: number): Promise<void>;
  /** The blocks from this number on were replaced. */
  replaced(from: number, last: readonly BlockRef[]): Promise<void>;
  /** Where pending transactions come from has changed. */
  pending(source: PendingSource): Promise<void>;
  /** It still works at this time. */
  stillPending(now: number): Promise<void>;
}

/** How often the end of an interval is moved on. */
const PENDING_MS = 5_000;

export function createCoverage(control: Control, chainId: number, source: string): Coverage {
  let stretch: { readonly from: number; to: number } | undefined;
  let interval: { readonly id: number; until: number } | undefined;
  const mine = and(eq(blocks.chainId, chainId), eq(blocks.source, source));

  async function endAt(until: number, reason: string | null): Promise<void> {
    if (!interval) return;
    const { id } = interval;
    interval.until = until;
    await control.change((tx) =>
      tx
        .update(pendings)
        .set({ until: new Date(until), reason })
        .where(eq(pendings.id, id)),
    );
  }

  return {
    async position() {
      const [row] = await control.read((db) =>
        db.select().from(blocks).where(mine).orderBy(desc(blocks.updatedAt), desc(blocks.id)).limit(1),
      );
      stretch = row && { from: row.fromBlock, to: row.toBlock };
      return row?.last ?? [];
    },
    async block({ number, proof }, last, headBlock) {
      stretch = { from: stretch?.to === number - 1 ? stretch.from : number, to: number };
      const proven = proof === "proven";
      const row = { chainId, source, fromBlock: stretch.from, toBlock: number, headBlock, proven, last };
      await control.change((tx) =>
        tx
          .insert(blocks)
          .values(row)
          .onConflictDoUpdate({
            target: [blocks.chainId, blocks.source, blocks.fromBlock],
            set: {
              ...{ toBlock: number, headBlock, last, updatedAt: sql`now()` },
              // What was replaced proves nothing of what came in its place.
              proven: sql`excluded.proven AND (${blocks.proven} OR ${blocks.fromBlock} = ${number})`,
            },
          }),
      );
    },
    async replaced(from, last) {
      if (!stretch) return;
      stretch = { ...stretch, to: from - 1 };
      const where = and(mine, eq(blocks.fromBlock, stretch.from));
      await control.change((tx) =>
        tx
          .update(blocks)
          .set({ toBlock: from - 1, last })
          .where(where),
      );
    },
    async pending({ healthy, node, via, since, reason }) {
      if (!healthy) {
        await endAt(since, reason ?? null);
        interval = undefined;
        return;
      }
      const row = { chainId, source, node, via, since: new Date(since), until: new Date(since) };
      const [inserted] = await control.change((tx) => tx.insert(pendings).values(row).returning({ id: pendings.id }));
      interval = { id: inserted!.id, until: since };
    },
    async stillPending(now) {
      if (interval && now - interval.until >= PENDING_MS) await endAt(now, null);
    },
  };
}

export interface CoverageOfChains {
  readonly stretches: readonly Stretch[];
  readonly pending: readonly PendingInterval[];
}

/** Of a chain, at most. */
const MOST_INTERVALS = 100;

/** What is covered, by chain, source and block; of a chain the last 100 intervals of pending transactions. @throws ControlUnavailable */
export async function readCoverage(control: Control): Promise<CoverageOfChains> {
  return control.read(async (db) => {
    const rows = await db.select().from(blocks).orderBy(asc(blocks.chainId), asc(blocks.source), asc(blocks.fromBlock));
    const ranked = db.$with("ranked").as(
      db
        .select({
          id: pendings.id,
          place: sql<number>`row_number() OVER (PARTITION BY ${pendings.chainId} ORDER BY ${pendings.id} DESC)`.as(
            "place",
          ),
        })
        .from(pendings),
    );
    const intervals = await db
      .with(ranked)
      .select({ interval: pendings })
      .from(pendings)
      .innerJoin(ranked, eq(ranked.id, pendings.id))
      .where(sql`${ranked.place} <= ${MOST_INTERVALS}`)
      .orderBy(asc(pendings.chainId), asc(pendings.id));
    return {
      stretches: rows.map(({ fromBlock: from, toBlock: to, id: _id, last: _last, ...row }) => ({ ...row, from, to })),
      pending: intervals.map(({ interval: { id: _id, ...interval } }) => interval),
    };
  });
}
