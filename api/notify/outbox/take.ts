/** Taking: what is due goes to one sender for a minute, who settles it. */
import { and, eq, gt, inArray, lte, or, type SQL, sql } from "../../../engine/control/drizzle.ts";
import type { Control } from "../../../engine/control/open.ts";
import { notifications as table } from "../../../engine/control/schema.ts";
import type { AlertFacts } from "../message.ts";
import type { NotificationRow, Outbox, Parcel } from "../outbox.ts";
import { dedupKey } from "../policy.ts";
import { HOUR_MS, insert, newMessageId, recipientsOf } from "./rows.ts";

/** Alerts that go into one message at most: the rest is the next one. */
const MAX_TOGETHER = 500;
/** "take": one sender takes at a time, so that none gets a part of what another has. */
const LOCK = 0x74616b65;

/** What goes out together: the rows of a message, or those that are gathered for somebody. */
const parcelOf = sql<string>`coalesce(${table.messageId}, CASE WHEN ${table.together} THEN ${table.channel} || ' ' || ${table.recipient} ELSE 'row ' || ${table.id} END)`;

export function createTaking(control: Control): Pick<Outbox, "take" | "sentInHour" | "delivered" | "later" | "dead"> {
  return {
    take: (now, leaseMs, most) =>
      control.change(async (tx) => {
        await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`);
        const isDue = or(
          and(eq(table.state, "waiting"), lte(table.dueAt, now)),
          and(eq(table.state, "sending"), lte(table.leasedUntil, now)),
        );
        const first = tx
          .select({ parcel: parcelOf.as("parcel") })
          .from(table)
          .where(isDue)
          .orderBy(table.dueAt, table.id)
          .limit(most);
        const due = await tx
          .select({ row: table, parcel: parcelOf })
          .from(table)
          .where(and(isDue, inArray(parcelOf, first)))
          // of a message that has its id already, nothing may be left behind: it would be another message of that id
          .orderBy(sql`${table.messageId} IS NULL`, table.dueAt, table.id)
          .limit(most * MAX_TOGETHER)
          .for("update");
        const parcels = new Map<string, NotificationRow[]>();
        for (const { row, parcel: key } of due) {
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
  };
}

const ofParcel = ({ rows }: Parcel): SQL =>
  inArray(
    table.id,
    rows.map(({ id }) => id),
  );
