/**
 * What is to be told, in the control store: put in together with how far the alerts have been read, taken by a sender for a minute, settled.
 *
 *     waiting ──take──▶ sending ──settle──▶ delivered
 *        ▲                 ├──retry, lease over──▶ waiting, sending
 *        │                 └──refused for good, too many attempts──▶ dead ──redeliver──▶ waiting
 *     put in ──▶ suppressed: a silence, sent already, acknowledged before it was due
 *
 * A sender that is killed leaves rows in `sending`; when their lease is over they are sent again, in the same message with the same id: the one
 * case in which somebody gets a message twice.
 */
import { randomBytes } from "node:crypto";
import { and, desc, eq, gt, inArray, lte, or, type SQL, sql } from "../../engine/control/drizzle.ts";
import type { Control, Transaction } from "../../engine/control/open.ts";
import {
  type NotificationState,
  notificationChannels,
  notificationPositions,
  notificationSilences,
  notifications as table,
} from "../../engine/control/schema.ts";
import type { Channel } from "./channels.ts";
import { KINDS } from "./kinds/all.ts";
import type { AlertFacts, MessageKind, Receipt } from "./message.ts";
import { concerns, decide, dedupKey, rank, type Silence } from "./policy.ts";

export type NotificationRow = typeof table.$inferSelect;

/** Rows that go out as one message. */
export interface Parcel {
  readonly messageId: string;
  readonly channel: number;
  readonly recipient: string;
  readonly rows: readonly NotificationRow[];
}

export interface Outbox {
  /** Where the alerts of a source have been read up to, by partition. Of a source that is new, what is there already is not told: `heads`. */
  positions(source: string, heads: () => Promise<ReadonlyMap<number, number>>): Promise<ReadonlyMap<number, number>>;
  /**
   * Puts in what the channels are to be told of these alerts, and moves the positions, in one transaction.
   * @param from the positions that the alerts were read from: nothing happens if somebody else has moved them
   * @returns how many rows were put in
   */
  putAlerts(
    source: string,
    alerts: readonly PlacedAlert[],
    from: ReadonlyMap<number, number>,
    channels: readonly Channel[],
    now: Date,
  ): Promise<number>;
  /** Alerts of blocks that were replaced: who was told of them is told so. */
  putRetractions(blocks: readonly string[], channels: readonly Channel[], now: Date): Promise<number>;
  /** Blocks of alerts that were told in the last day, as `chain:hash`. */
  toldBlocks(now: Date): Promise<string[]>;
  /** For the channels that are told of troubles, once an hour and channel. */
  putTrouble(of: Channel, text: string, channels: readonly Channel[], now: Date): Promise<void>;
  putTest(channel: Channel, recipients: readonly string[], now: Date): Promise<string[]>;
  /** Takes what is due, for `leaseMs`. */
  take(now: Date, leaseMs: number, most: number): Promise<Parcel[]>;
  /** Messages that a channel, or one of its recipients, was given in the hour before. */
  sentInHour(
    channel: number,
    recipient: string | undefined,
    now: Date,
  ): Promise<{ messages: number; oldest: Date | null }>;
  delivered(
    parcel: Parcel,
    receipt: Receipt,
    escalate: Channel | undefined,
    afterSeconds: number,
    now: Date,
  ): Promise<void>;
  /** Another try. @param counts whether the attempt is one of those that there may be */
  later(parcel: Parcel, at: Date, reason: string, options: { counts: boolean; together: boolean }): Promise<void>;
  dead(parcel: Parcel, reason: string): Promise<void>;
  list(
    filter: { state?: NotificationState; channel?: string; subject?: string },
    page: { limit: number; offset: number },
  ): Promise<{ total: number; rows: (NotificationRow & { channelName: string })[] }>;
  /** One that was given up, or delivered, goes out once more with the same message id. @returns undefined: there is none */
  redeliver(id: number, now: Date): Promise<NotificationRow | undefined>;
  /** Nobody is told more of this alert: what waits to be escalated is not. @returns rows concerned */
  acknowledge(alertId: string, by: string): Promise<number>;
}

export interface PlacedAlert extends AlertFacts {
  readonly partition: number;
  readonly offset: number;
}

const newMessageId = (): string => `msg_${randomBytes(15).toString("base64url")}`;
const HOUR_MS = 3_600_000;
/** Alerts that go into one message at most: the rest is the next one. */
const MAX_TOGETHER = 500;
/** The row that whoever reads a source locks. */
const LOCK_PARTITION = -1;

export function createOutbox(control: Control): Outbox {
  async function insert(tx: Transaction, rows: (typeof table.$inferInsert)[]): Promise<number> {
    let added = 0;
    for (let i = 0; i < rows.length; i += 1_000) {
      const part = rows.slice(i, i + 1_000);
      added += (await tx.insert(table).values(part).onConflictDoNothing().returning({ id: table.id })).length;
    }
    return added;
  }

  const recipientsOf = (channel: Channel): readonly string[] => KINDS[channel.kind].recipients(channel.settings);

  async function lockPositions(tx: Transaction, source: string): Promise<Map<number, number>> {
    await tx
      .insert(notificationPositions)
      .values({ source, partition: LOCK_PARTITION, nextOffset: 0 })
      .onConflictDoNothing();
    const rows = await tx
      .select()
      .from(notificationPositions)
      .where(eq(notificationPositions.source, source))
      .for("update");
    return new Map(rows.map(({ partition, nextOffset }) => [partition, nextOffset]));
  }

  async function setPositions(tx: Transaction, source: string, positions: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, nextOffset] of positions)
      await tx
        .insert(notificationPositions)
        .values({ source, partition, nextOffset })
        .onConflictDoUpdate({
          target: [notificationPositions.source, notificationPositions.partition],
          set: { nextOffset, updatedAt: sql`now()` },
        });
  }

  return {
    async positions(source, heads) {
      const known = await control.read((db) =>
        db.select().from(notificationPositions).where(eq(notificationPositions.source, source)),
      );
      if (known.length > 0)
        return new Map(
          known.flatMap(({ partition, nextOffset }) => (partition < 0 ? [] : [[partition, nextOffset] as const])),
        );
      const begin = await heads();
      return control.change(async (tx) => {
        const locked = await lockPositions(tx, source);
        if (locked.size === 1) await setPositions(tx, source, begin);
        return locked.size === 1 ? begin : new Map([...locked].filter(([partition]) => partition >= 0));
      });
    },

    putAlerts: (source, alerts, from, channels, now) =>
      control.change(async (tx) => {
        const locked = await lockPositions(tx, source);
        for (const [partition, offset] of locked) if (partition >= 0 && offset !== (from.get(partition) ?? 0)) return 0; // somebody else read on

        const silences = await currentSilences(tx, now);
        const rows: (typeof table.$inferInsert)[] = [];
        for (const channel of channels.filter(({ enabled }) => enabled)) {
          const { policy } = channel;
          const concerned = alerts.filter((alert) => concerns(policy, alert));
          if (concerned.length === 0) continue;
          const keys = [...new Set(concerned.map((alert) => dedupKey(policy, alert)))];
          const last = await lastOfKeys(tx, channel.id, keys, new Date(now.getTime() - policy.dedup_seconds * 1_000));
          let inBurst = policy.burst
            ? await putSince(tx, channel.id, new Date(now.getTime() - policy.burst.seconds * 1_000))
            : 0;
          for (const alert of concerned) {
            const key = dedupKey(policy, alert);
            const decision = decide(policy, alert, { lastOf: (each) => last.get(each), inBurst }, silences, now);
            if (decision.send !== "never") {
              last.set(key, now.getTime());
              inBurst++;
            }
            for (const recipient of recipientsOf(channel))
              rows.push({
                ...{
                  channel: channel.id,
                  recipient,
                  kind: "alert",
                  subject: alert.id,
                  alert: { ...alert },
                  dedupKey: key,
                },
                state: decision.send === "never" ? "suppressed" : "waiting",
                together: decision.send === "together",
                dueAt: decision.send === "together" ? decision.at : now,
                reason: decision.send === "now" ? null : decision.why,
                createdAt: now,
              });
          }
        }
        const added = await insert(tx, rows);
        const next = new Map(from);
        for (const { partition, offset } of alerts) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
        await setPositions(tx, source, next);
        return added;
      }),

    putRetractions: (blocks, channels, now) =>
      control.change(async (tx) => {
        if (blocks.length === 0) return 0;
        const wanted = channels.filter(({ enabled, policy }) => enabled && policy.retractions).map(({ id }) => id);
        if (wanted.length === 0) return 0;
        const ofBlocks = inArray(blockOf, [...blocks]);
        const ours = inArray(table.channel, wanted);
        // what has not gone out yet need not be taken back
        await tx
          .update(table)
          .set({ state: "suppressed", reason: "its block was replaced" })
          .where(and(ours, ofBlocks, eq(table.kind, "alert"), eq(table.state, "waiting"), eq(table.attempts, 0)));
        const told = await tx
          .select()
          .from(table)
          .where(
            and(
              ours,
              ofBlocks,
              inArray(table.kind, ["alert", "escalation"]),
              inArray(table.state, ["delivered", "sending"]),
            ),
          );
        return insert(
          tx,
          told.map((row) => ({
            ...{
              channel: row.channel,
              recipient: row.recipient,
              kind: "retraction",
              subject: row.subject,
              alert: row.alert,
            },
            // a message of several alerts is not edited: it says more than this one
            ref: row.together ? null : row.ref,
            ...{ dedupKey: `retraction ${row.subject}`, state: "waiting", together: false, dueAt: now, createdAt: now },
          })),
        );
      }),

    toldBlocks: (now) =>
      control.read(async (db) => {
        const rows = await db
          .selectDistinct({ block: blockOf })
          .from(table)
          .where(
            and(
              ...[eq(table.kind, "alert"), inArray(table.state, ["delivered", "sending", "waiting"])],
              ...[gt(table.createdAt, new Date(now.getTime() - 24 * HOUR_MS)), sql`alert->>'block_hash' IS NOT NULL`],
            ),
          )
          .limit(10_000);
        return rows.map(({ block }) => block);
      }),

    putTrouble: (of, text, channels, now) =>
      control.change(async (tx) => {
        const subject = `channel ${of.id} ${Math.floor(now.getTime() / HOUR_MS)}`;
        const told = channels.filter(({ id, enabled, policy }) => id !== of.id && enabled && policy.operations);
        await insert(
          tx,
          told.flatMap((channel) =>
            recipientsOf(channel).map((recipient) => ({
              ...{ channel: channel.id, recipient, kind: "trouble", subject, trouble: text, dedupKey: subject },
              ...{ state: "waiting" as const, together: false, dueAt: now, createdAt: now },
            })),
          ),
        );
      }),

    putTest: (channel, recipients, now) =>
      control.change(async (tx) => {
        const subject = newMessageId();
        const rows = recipients.map((recipient) => ({
          ...{ channel: channel.id, recipient, kind: "test", subject, dedupKey: subject, messageId: newMessageId() },
          ...{ state: "waiting" as const, together: false, dueAt: now, createdAt: now },
        }));
        await insert(tx, rows);
        return rows.map(({ messageId }) => messageId);
      }),

    take: (now, leaseMs, most) =>
      control.change(async (tx) => {
        const due = await tx
          .select()
          .from(table)
          .where(
            or(
              and(eq(table.state, "waiting"), lte(table.dueAt, now)),
              and(eq(table.state, "sending"), lte(table.leasedUntil, now)),
            ),
          )
          .orderBy(table.dueAt, table.id)
          .limit(most)
          .for("update", { skipLocked: true });
        const parcels = new Map<string, NotificationRow[]>();
        for (const row of due) {
          const key = row.messageId ?? (row.together ? `${row.channel} ${row.recipient}` : `row ${row.id}`);
          const parcel = parcels.get(key);
          if (!parcel) parcels.set(key, [row]);
          else if (parcel.length < MAX_TOGETHER || row.messageId) parcel.push(row);
        }
        const taken: Parcel[] = [];
        for (const rows of parcels.values()) {
          const messageId = rows[0]!.messageId ?? newMessageId();
          const ids = rows.map(({ id }) => id);
          const changed = await tx
            .update(table)
            .set({
              ...{ state: "sending", messageId, leasedUntil: new Date(now.getTime() + leaseMs) },
              attempts: sql`${table.attempts} + 1`,
            })
            .where(inArray(table.id, ids))
            .returning();
          const { channel, recipient } = rows[0]!;
          taken.push({ messageId, channel, recipient, rows: changed.sort((a, b) => a.id - b.id) });
        }
        return taken;
      }),

    sentInHour: (channel, recipient, now) =>
      control.read(async (db) => {
        const [row] = await db
          .select({
            messages: sql<number>`count(DISTINCT ${table.messageId})::int`,
            oldest: sql<string | null>`min(${table.sentAt})`,
          })
          .from(table)
          .where(
            and(
              ...[eq(table.channel, channel), eq(table.state, "delivered")],
              gt(table.sentAt, new Date(now.getTime() - HOUR_MS)),
              ...(recipient === undefined ? [] : [eq(table.recipient, recipient)]),
            ),
          );
        return { messages: row!.messages, oldest: row!.oldest === null ? null : new Date(row!.oldest) };
      }),

    delivered: (parcel, { ref, answer }, escalate, afterSeconds, now) =>
      control.change(async (tx) => {
        await tx
          .update(table)
          .set({ state: "delivered", sentAt: now, leasedUntil: null, ref: ref ?? null, answer, reason: null })
          .where(ofParcel(parcel));
        if (!escalate) return;
        const { policy } = escalate;
        const alerts = parcel.rows.filter(({ kind, acknowledged }) => kind === "alert" && acknowledged === null);
        await insert(
          tx,
          alerts.flatMap(({ subject, alert }) =>
            recipientsOf(escalate).map((recipient) => ({
              ...{ channel: escalate.id, recipient, kind: "escalation", subject, alert },
              ...{
                dedupKey: dedupKey(policy, alert as unknown as AlertFacts),
                state: "waiting" as const,
                together: false,
              },
              ...{ dueAt: new Date(now.getTime() + afterSeconds * 1_000), createdAt: now },
            })),
          ),
        );
      }),

    later: (parcel, at, reason, { counts, together }) =>
      control.change(async (tx) => {
        await tx
          .update(table)
          .set({
            ...{ state: "waiting", dueAt: at, reason, leasedUntil: null },
            // nothing of it is out, so it may go with others, in another message
            ...(together ? { together: true, messageId: null } : {}),
            ...(counts ? {} : { attempts: sql`${table.attempts} - 1` }),
          })
          .where(ofParcel(parcel));
      }),

    dead: (parcel, reason) =>
      control.change(async (tx) => {
        await tx.update(table).set({ state: "dead", reason, leasedUntil: null }).where(ofParcel(parcel));
      }),

    list: (filter, { limit, offset }) =>
      control.read(async (db) => {
        const conditions: SQL[] = [];
        if (filter.state) conditions.push(eq(table.state, filter.state));
        if (filter.subject) conditions.push(eq(table.subject, filter.subject));
        if (filter.channel) conditions.push(eq(notificationChannels.name, filter.channel));
        const joined = eq(table.channel, notificationChannels.id);
        const [count] = await db
          .select({ total: sql<number>`count(*)::int` })
          .from(table)
          .innerJoin(notificationChannels, joined)
          .where(and(...conditions));
        const rows = await db
          .select({ row: table, channelName: notificationChannels.name })
          .from(table)
          .innerJoin(notificationChannels, joined)
          .where(and(...conditions))
          .orderBy(desc(table.id))
          .limit(limit)
          .offset(offset);
        return { total: count!.total, rows: rows.map(({ row, channelName }) => ({ ...row, channelName })) };
      }),

    redeliver: (id, now) =>
      control.change(async (tx) => {
        const [row] = await tx
          .update(table)
          .set({ state: "waiting", dueAt: now, attempts: 0, reason: "redelivered", leasedUntil: null })
          .where(and(eq(table.id, id), inArray(table.state, ["dead", "delivered"])))
          .returning();
        return row;
      }),

    acknowledge: (alertId, by) =>
      control.change(async (tx) => {
        await tx
          .update(table)
          .set({ state: "suppressed", reason: `acknowledged by ${by}` })
          .where(and(eq(table.subject, alertId), eq(table.kind, "escalation"), eq(table.state, "waiting")));
        const rows = await tx
          .update(table)
          .set({ acknowledged: by })
          .where(eq(table.subject, alertId))
          .returning({ id: table.id });
        return rows.length;
      }),
  };
}

const blockOf = sql<string>`(${table.alert}->>'chain_id') || ':' || (${table.alert}->>'block_hash')`;

const ofParcel = ({ rows }: Parcel): SQL =>
  inArray(
    table.id,
    rows.map(({ id }) => id),
  );

async function currentSilences(tx: Transaction, now: Date): Promise<Silence[]> {
  return tx
    .select()
    .from(notificationSilences)
    .where(and(lte(notificationSilences.startsAt, now), gt(notificationSilences.endsAt, now)));
}

/** When each key was last put in since, in ms; suppressed ones do not count. */
async function lastOfKeys(tx: Transaction, channel: number, keys: string[], since: Date): Promise<Map<string, number>> {
  const rows = await tx
    .select({ key: table.dedupKey, at: sql<string>`max(${table.createdAt})` })
    .from(table)
    .where(
      and(
        ...[eq(table.channel, channel), inArray(table.dedupKey, keys)],
        ...[gt(table.createdAt, since), sql`${table.state} <> 'suppressed'`],
      ),
    )
    .groupBy(table.dedupKey);
  return new Map(rows.map(({ key, at }) => [key, new Date(at).getTime()]));
}

async function putSince(tx: Transaction, channel: number, since: Date): Promise<number> {
  const [row] = await tx
    .select({ count: sql<number>`count(DISTINCT ${table.subject})::int` })
    .from(table)
    .where(
      and(
        ...[eq(table.channel, channel), eq(table.kind, "alert")],
        ...[gt(table.createdAt, since), sql`${table.state} <> 'suppressed'`],
      ),
    );
  return row!.count;
}

/** Severe enough to be escalated, as the channel says. */
export const isEscalated = (channel: Channel, rows: readonly NotificationRow[]): boolean => {
  const { escalate } = channel.policy;
  return (
    escalate !== null &&
    rows.some(
      ({ kind, alert }) =>
        kind === "alert" && rank((alert as unknown as AlertFacts).severity) >= rank(escalate.min_severity),
    )
  );
};

/** What a message of these rows is. */
export const kindOf = (rows: readonly NotificationRow[]): MessageKind =>
  rows.length > 1 ? "digest" : (rows[0]!.kind as MessageKind);
