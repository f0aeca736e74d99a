/** Exports and their schedules as the control store has them: who asked for what, how far it is. */
import type { ExportSpec } from "../../clickhouse/exports/request.ts";
import { writeAudit } from "../../engine/control/changes.ts";
import { and, count, desc, eq, inArray, lt, lte, sql } from "../../engine/control/drizzle.ts";
import type { Control, Transaction } from "../../engine/control/open.ts";
import { exportSchedules, exports as table } from "../../engine/control/schema.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { nextRun } from "./cron.ts";

export type ExportRow = typeof table.$inferSelect;
export type ScheduleRow = typeof exportSchedules.$inferSelect;
export type ExportStatus = ExportRow["status"];

export interface Asked {
  readonly spec: ExportSpec;
  readonly uploadTo: string | null;
  readonly by: string;
}

/** That wait or run at a time, and schedules: each is made, one after the other. */
export const MAX_OPEN = 100;
export const MAX_SCHEDULES = 100;
const OPEN: readonly ExportStatus[] = ["queued", "running"];
const isOpen = inArray(table.status, [...OPEN]);

export type Exports = ReturnType<typeof createExports>;

/** Methods throw ControlUnavailable; `add` and `addSchedule` a UserError when there are too many. */
export function createExports(control: Control) {
  return {
    list: (limit: number, offset: number): Promise<ExportRow[]> =>
      control.read((db) => db.select().from(table).orderBy(desc(table.id)).limit(limit).offset(offset)),
    count: async (): Promise<number> => (await control.read((db) => db.select({ all: count() }).from(table)))[0]!.all,
    get: async (id: number): Promise<ExportRow | undefined> =>
      (await control.read((db) => db.select().from(table).where(eq(table.id, id))))[0],

    add: ({ spec, uploadTo, by }: Asked): Promise<ExportRow> =>
      control.change(async (tx) => {
        const [open] = await tx.select({ all: count() }).from(table).where(isOpen);
        if (open!.all >= MAX_OPEN) throw tooMany("export", open!.all, "exports wait or run", MAX_OPEN);
        const [row] = await tx.insert(table).values({ spec, uploadTo, createdBy: by }).returning();
        await writeAudit(tx, [
          { who: by, action: "export", subject: `export ${row!.id}`, before: null, after: { spec, uploadTo } },
        ]);
        return row!;
      }),

    /** One that waits is over at once; one that runs when its process notices. @returns undefined: there is none */
    cancel: (id: number, by: string): Promise<ExportRow | undefined> =>
      control.change(async (tx) => {
        const [before] = await tx.select().from(table).where(eq(table.id, id)).for("update");
        if (!before || !OPEN.includes(before.status)) return before;
        const over = before.status === "queued" ? ({ status: "cancelled", finishedAt: new Date() } as const) : {};
        const [row] = await tx.update(table).set({ cancel: true, ...over }).where(eq(table.id, id)).returning(); // biome-ignore format: one chain
        await writeAudit(tx, [
          { who: by, action: "export cancel", subject: `export ${id}`, before: null, after: null },
        ]);
        return row;
      }),

    schedules: (): Promise<ScheduleRow[]> =>
      control.read((db) => db.select().from(exportSchedules).orderBy(exportSchedules.id).limit(MAX_SCHEDULES)),
    schedule: async (id: number): Promise<ScheduleRow | undefined> =>
      (await control.read((db) => db.select().from(exportSchedules).where(eq(exportSchedules.id, id))))[0],
    addSchedule: ({ spec, uploadTo, by, frequency, cron }: Asked & { frequency: string; cron: string }) =>
      control.change(async (tx): Promise<ScheduleRow> => {
        const [all] = await tx.select({ all: count() }).from(exportSchedules);
        if (all!.all >= MAX_SCHEDULES) throw tooMany("schedule an export", all!.all, "schedules are there", MAX_SCHEDULES); // biome-ignore format: one line
        const nextAt = nextRun(cron, new Date());
        const row = { frequency, cron, spec, uploadTo, createdBy: by, nextAt };
        const [made] = await tx.insert(exportSchedules).values(row).returning();
        await writeAudit(tx, [
          { who: by, action: "export schedule", subject: `export schedule ${made!.id}`, before: null, after: row },
        ]);
        return made!;
      }),
    removeSchedule: (id: number, by: string): Promise<ScheduleRow | undefined> =>
      control.change(async (tx) => {
        const [row] = await tx.delete(exportSchedules).where(eq(exportSchedules.id, id)).returning();
        if (row)
          await writeAudit(tx, [
            { who: by, action: "export unschedule", subject: `export schedule ${id}`, before: row, after: null },
          ]);
        return row;
      }),

    /** Whether there is anything to do. */
    isWork: async (now: Date): Promise<boolean> => {
      const [found] = await control.read((db) =>
        db.select({
          open: sql<boolean>`EXISTS (SELECT 1 FROM ${table} WHERE ${isOpen})`,
          due: sql<boolean>`EXISTS (SELECT 1 FROM ${exportSchedules} WHERE ${lte(exportSchedules.nextAt, now)})`,
        }).from(sql`(SELECT 1) AS one`),
      ); // biome-ignore format: one chain
      return found!.open || found!.due;
    },
    /** Queues an export of each schedule that is due, however many of its times were missed, and says when the next is. */
    queueDue: (now: Date): Promise<void> =>
      control.change(async (tx) => {
        const due = await tx.select().from(exportSchedules).where(lte(exportSchedules.nextAt, now)).for("update");
        for (const schedule of due) await queue(tx, schedule, now);
      }),
    next: async (): Promise<ExportRow | undefined> =>
      (await control.read((db) => db.select().from(table).where(isOpen).orderBy(table.id).limit(1)))[0],
    /** @returns whether it is to stop */
    update: (id: number, values: Partial<Omit<ExportRow, "id" | "cancel">>): Promise<boolean> =>
      control.change(async (tx) => {
        const [row] = await tx.update(table).set(values).where(eq(table.id, id)).returning({ cancel: table.cancel });
        return row?.cancel ?? true;
      }),
    /** Those that came to their end before then. */
    over: (before: Date): Promise<ExportRow[]> =>
      control.read((db) => db.select().from(table).where(lt(table.finishedAt, before)).orderBy(table.id).limit(100)),
    forget: async (id: number): Promise<void> => {
      await control.change((tx) => tx.delete(table).where(eq(table.id, id)));
    },
  };
}

async function queue(tx: Transaction, { id, cron, spec, uploadTo, createdBy }: ScheduleRow, now: Date): Promise<void> {
  const mine = and(eq(table.scheduleId, id), isOpen);
  const [waiting] = await tx.select({ all: count() }).from(table).where(mine); // one that is late has what this would have
  if (waiting!.all === 0) await tx.insert(table).values({ scheduleId: id, spec, uploadTo, createdBy });
  await tx
    .update(exportSchedules)
    .set({ nextAt: nextRun(cron, now) })
    .where(eq(exportSchedules.id, id));
}

const tooMany = (action: string, is: number, what: string, most: number): UserError =>
  new UserError(`Cannot ${action}: ${is} ${what}, expected fewer than ${most}`, { next: "Wait, or cancel some" });
