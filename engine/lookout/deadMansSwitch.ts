/**
 * Raises an alert once when a channel falls silent, and takes it back once when it is heard again: among all engines, across restarts. The control
 * store has what was noticed and what was told.
 *
 *     silent, not known ──▶ row in silences ──▶ record "raised" on the topic of alerts
 *     heard again       ──▶ recovered_at    ──▶ record "retracted", same id
 *
 * The record is in Kafka and its mark in the control store, which no transaction spans: an engine that is killed between the two leaves it to be told
 * again a minute later. So a record may come twice, word for word: who keeps `id` and `status` of what was told drops the second.
 */
import { createHash } from "node:crypto";
import { eq, isNull, sql } from "../control/drizzle.ts";
import type { Control } from "../control/open.ts";
import { silences } from "../control/schema.ts";
import { type Channel, describeSilence, isSilent, type SilenceLimits } from "./silence.ts";

type Row = typeof silences.$inferSelect;

/** A record for the topic of alerts. */
export interface SilenceRecord {
  readonly key: string;
  readonly value: object;
}

export interface DeadMansSwitch {
  /** Writes down who has fallen silent since, and who was heard again. @returns what is new, for the log */
  look(
    channels: readonly Channel[],
    now: number,
  ): Promise<{ raised: readonly Channel[]; recovered: readonly Channel[] }>;
  /**
   * Has what nobody was told yet told, and marks it.
   * @param publish all of them or none; rejects when it cannot, then they are told later
   */
  tell(publish: (records: readonly SilenceRecord[]) => Promise<void>): Promise<void>;
}

export const SILENCE_RULE = "weir:silence";

export function createDeadMansSwitch(control: Control, limits: SilenceLimits): DeadMansSwitch {
  async function look(channels: readonly Channel[], now: number) {
    const silent = channels.filter((channel) => isSilent(channel, limits, now));
    const open = await control.read((db) => db.select().from(silences).where(isNull(silences.recoveredAt)));
    const known = new Set(open.map(toChannel).map(nameOf));
    const names = new Set(silent.map(nameOf));
    const fresh = silent.filter((channel) => !known.has(nameOf(channel)));
    const ended = open.filter((row) => !names.has(nameOf(toChannel(row))));
    if (fresh.length + ended.length === 0) return { raised: [], recovered: [] };
    return control.change(async (tx) => {
      const raised: Channel[] = [];
      for (const channel of fresh) {
        const { chainId, source, lastAt: since } = channel;
        const row = { chainId, source, channel: channel.channel, since };
        const added = await tx.insert(silences).values(row).onConflictDoNothing().returning({ id: silences.id });
        if (added.length > 0) raised.push(channel);
      }
      const recovered: Channel[] = [];
      for (const { id } of ended) {
        const where = sql`${silences.id} = ${id} AND ${silences.recoveredAt} IS NULL`;
        const rows = await tx.update(silences).set({ recoveredAt: sql`now()` }).where(where).returning();
        recovered.push(...rows.map(toChannel));
      }
      return { raised, recovered };
    });
  }

  return {
    look,
    async tell(publish) {
      const wanted = sql`CASE WHEN ${silences.recoveredAt} IS NULL THEN 1 ELSE 2 END`;
      const claimed = await control.change((tx) =>
        tx
          .update(silences)
          .set({ claimedAt: sql`now()` })
          .where(
            sql`${silences.told} < ${wanted} AND (${silences.claimedAt} IS NULL OR ${silences.claimedAt} < now() - interval '1 minute')`,
          )
          .returning(),
      );
      if (claimed.length === 0) return;
      const inOrder = claimed.sort((a, b) => a.id - b.id);
      await publish(inOrder.flatMap((row) => recordsOf(row, limits)));
      await control.change(async (tx) => {
        for (const { id, recoveredAt } of claimed)
          await tx
            .update(silences)
            .set({ told: recoveredAt ? 2 : 1, claimedAt: null })
            .where(eq(silences.id, id));
      });
    },
  };
}

const toChannel = ({ chainId, source, channel, since }: Row): Channel => ({ chainId, source, channel, lastAt: since });
const nameOf = ({ chainId, source, channel, lastAt }: Channel): string =>
  `${chainId} ${channel} ${lastAt.getTime()} ${source}`;

/** As an alert's: 32 hex digits. */
export const silenceId = (channel: Channel): string =>
  createHash("sha256").update(nameOf(channel)).digest("hex").slice(0, 32);

/** Of what is not told yet. */
function recordsOf(row: Row, limits: SilenceLimits): SilenceRecord[] {
  const channel = toChannel(row);
  const value = {
    ...{ id: silenceId(channel), rule: SILENCE_RULE, severity: "critical", chain_id: row.chainId, tx_hash: null },
    ...{ source: row.source, channel: row.channel, since: row.since.toISOString() },
    message: describeSilence(channel, limits),
  };
  const record = (status: string, at: Date): SilenceRecord => ({
    key: `${row.chainId}:silence`,
    value: { ...value, status, detected_at: at.toISOString() },
  });
  return [
    ...(row.told === 0 ? [record("raised", row.raisedAt)] : []),
    ...(row.recoveredAt ? [record("retracted", row.recoveredAt)] : []),
  ];
}
