/** Reading, and what people do with what they read: send it again, take note of it. */
import { writeAudit } from "../../../engine/control/changes.ts";
import { and, desc, eq, gt, inArray, lt, type SQL, sql } from "../../../engine/control/drizzle.ts";
import type { Control } from "../../../engine/control/open.ts";
import { notificationChannels, notifications as table } from "../../../engine/control/schema.ts";
import type { Outbox } from "../outbox.ts";
import { blockOf, HOUR_MS } from "./rows.ts";

/** In the words of the index `notifications_told`. */
const IS_TOLD = sql`kind = 'alert' AND state IN ('delivered', 'sending', 'waiting') AND alert->>'block_hash' IS NOT NULL`;
/** Rows that are looked at to be forgotten in one go. */
const OLDEST = 10_000;

type Reading = "toldBlocks" | "list" | "redeliver" | "acknowledge" | "forget";

export function createReading(control: Control): Pick<Outbox, Reading> {
  return {
    toldBlocks: (now) =>
      control.read(async (db) => {
        const rows = await db
          .selectDistinct({ block: blockOf })
          .from(table)
          .where(and(IS_TOLD, gt(table.createdAt, new Date(now.getTime() - 24 * HOUR_MS))))
          .limit(10_000);
        return rows.map(({ block }) => block);
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

    forget: (before) =>
      control.change(async (tx) => {
        const oldest = tx.select({ id: table.id }).from(table).orderBy(table.id).limit(OLDEST);
        const isOver = inArray(table.state, ["delivered", "suppressed", "dead"]);
        // else a chain that is silent still would be told of anew
        const isOfNoChain = sql`(${table.alert} IS NULL OR ${table.alert}->>'tx_hash' IS NOT NULL)`;
        const rows = await tx
          .delete(table)
          .where(and(inArray(table.id, oldest), isOver, lt(table.createdAt, before), isOfNoChain))
          .returning({ id: table.id });
        return rows.length;
      }),

    redeliver: (id, now, by) =>
      control.change(async (tx) => {
        const isOver = inArray(table.state, ["dead", "delivered"]);
        const message = tx
          .select({ id: table.messageId })
          .from(table)
          .where(and(eq(table.id, id), isOver));
        const rows = await tx
          .update(table)
          .set({ state: "waiting", dueAt: now, attempts: 0, reason: "redelivered", leasedUntil: null })
          .where(and(isOver, inArray(table.messageId, message))) // all that the message said: it has the same id
          .returning();
        const row = rows.find((each) => each.id === id);
        if (row) {
          const after = { channel: row.channel, message_id: row.messageId };
          await writeAudit(tx, [{ who: by, action: "redeliver", subject: `delivery ${id}`, before: null, after }]);
        }
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
        const after = { deliveries: rows.length };
        if (rows.length > 0)
          await writeAudit(tx, [{ who: by, action: "acknowledge", subject: `alert ${alertId}`, before: null, after }]);
        return rows.length;
      }),
  };
}
