import { writeAudit } from "../../engine/control/changes.ts";
import { desc, eq, gt } from "../../engine/control/drizzle.ts";
import type { Control } from "../../engine/control/open.ts";
import { notificationSilences as table } from "../../engine/control/schema.ts";

export type SilenceRow = typeof table.$inferSelect;
export type NewSilence = Pick<SilenceRow, "rules" | "chains" | "addresses" | "startsAt" | "endsAt" | "comment">;

export interface Silences {
  /** Those that are not over, the last made first. */
  list(now: Date): Promise<SilenceRow[]>;
  add(silence: NewSilence, by: string): Promise<SilenceRow>;
  /** @returns undefined: there was none */
  remove(id: number, by: string): Promise<SilenceRow | undefined>;
}

export function createSilences(control: Control): Silences {
  return {
    list: (now) =>
      control.read((db) => db.select().from(table).where(gt(table.endsAt, now)).orderBy(desc(table.id)).limit(1_000)),
    add: (silence, by) =>
      control.change(async (tx) => {
        const [row] = await tx
          .insert(table)
          .values({ ...silence, createdBy: by })
          .returning();
        await writeAudit(tx, [
          { who: by, action: "silence add", subject: `silence ${row!.id}`, before: null, after: silence },
        ]);
        return row!;
      }),
    remove: (id, by) =>
      control.change(async (tx) => {
        const [row] = await tx.delete(table).where(eq(table.id, id)).returning();
        if (row)
          await writeAudit(tx, [
            { who: by, action: "silence remove", subject: `silence ${id}`, before: row, after: null },
          ]);
        return row;
      }),
  };
}
