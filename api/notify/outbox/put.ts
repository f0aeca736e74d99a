/** Putting in: what channels are to be told, together with how far the alerts have been read. */
import { and, eq, gt, inArray, lte, type SQL, sql } from "../../../engine/control/drizzle.ts";
import type { Control, Transaction } from "../../../engine/control/open.ts";
import { notificationPositions, notificationSilences, notifications as table } from "../../../engine/control/schema.ts";
import type { Channel } from "../channels.ts";
import type { AlertFacts } from "../message.ts";
import type { Outbox } from "../outbox.ts";
import { concerns, type Decision, decide, dedupKey, type Silence } from "../policy.ts";
import { blockOf, HOUR_MS, insert, newMessageId, recipientsOf } from "./rows.ts";

/** The row that whoever reads a source locks. */
const LOCK_PARTITION = -1;

type Putting = "positions" | "putAlerts" | "putSilences" | "putRetractions" | "putTrouble" | "putTest";

export function createPutting(control: Control): Pick<Outbox, Putting> {
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
            rows.push(...rowsOf(channel, alert, key, decision, now));
          }
        }
        const added = await insert(tx, rows);
        const next = new Map(from);
        for (const { partition, offset } of alerts) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
        await setPositions(tx, source, next);
        return added;
      }),

    putSilences: (silent, channels, now) =>
      control.change(async (tx) => {
        const silences = await currentSilences(tx, now);
        const enabled = channels.filter((channel) => channel.enabled);
        const rows = enabled.flatMap((channel) =>
          silent.flatMap(({ alert, raisedAt, isOver }) => {
            if (isOver || raisedAt < channel.createdAt || !concerns(channel.policy, alert)) return [];
            // each is one of its own: nothing that was told before says it
            const decision = decide(channel.policy, alert, { lastOf: () => undefined, inBurst: 0 }, silences, now);
            return rowsOf(channel, alert, alert.id, decision, now);
          }),
        );
        const added = await insert(tx, rows);
        const over = silent.flatMap(({ alert, isOver }) => (isOver ? [alert.id] : []));
        const wanted = enabled.filter(({ policy }) => policy.retractions).map(({ id }) => id);
        if (over.length === 0 || wanted.length === 0) return added;
        return added + (await takeBack(tx, wanted, inArray(table.subject, over), "it was heard again", now));
      }),

    putRetractions: (blocks, channels, now) =>
      control.change(async (tx) => {
        if (blocks.length === 0) return 0;
        const wanted = channels.filter(({ enabled, policy }) => enabled && policy.retractions).map(({ id }) => id);
        if (wanted.length === 0) return 0;
        return takeBack(tx, wanted, inArray(blockOf, [...blocks]), "its block was replaced", now);
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
  };
}

/** An alert for each of a channel's recipients. */
function rowsOf(
  channel: Channel,
  alert: AlertFacts,
  dedupKey: string,
  decision: Decision,
  now: Date,
): (typeof table.$inferInsert)[] {
  return recipientsOf(channel).map((recipient) => ({
    ...{ channel: channel.id, recipient, kind: "alert", subject: alert.id, alert: { ...alert }, dedupKey },
    state: decision.send === "never" ? "suppressed" : "waiting",
    together: decision.send === "together",
    dueAt: decision.send === "together" ? decision.at : now,
    reason: decision.send === "now" ? null : decision.why,
    createdAt: now,
  }));
}

/** What these channels were told of some alerts does not hold any more; what has not gone out yet need not be taken back. */
async function takeBack(tx: Transaction, channels: number[], which: SQL, reason: string, now: Date): Promise<number> {
  const ours = and(inArray(table.channel, channels), which);
  await tx
    .update(table)
    .set({ state: "suppressed", reason })
    .where(and(ours, eq(table.kind, "alert"), eq(table.state, "waiting"), eq(table.attempts, 0)));
  const told = await tx
    .select()
    .from(table)
    .where(and(ours, inArray(table.kind, ["alert", "escalation"]), inArray(table.state, ["delivered", "sending"])));
  return insert(
    tx,
    told.map(({ channel, recipient, subject, alert, together, ref }) => ({
      ...{ channel, recipient, kind: "retraction", subject, alert },
      ref: together ? null : ref, // a message of several alerts is not edited: it says more than this one
      ...{ dedupKey: `retraction ${subject}`, state: "waiting", together: false, dueAt: now, createdAt: now },
    })),
  );
}

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
