/** Rows of the outbox: what putting in, taking and reading have in common. */
import { randomBytes } from "node:crypto";
import { sql } from "../../../engine/control/drizzle.ts";
import type { Transaction } from "../../../engine/control/open.ts";
import { notifications as table } from "../../../engine/control/schema.ts";
import type { Channel } from "../channels.ts";
import { KINDS } from "../kinds/all.ts";

export const newMessageId = (): string => `msg_${randomBytes(15).toString("base64url")}`;
export const HOUR_MS = 3_600_000;

/** `chain:hash` of a row's alert. */
export const blockOf = sql<string>`(${table.alert}->>'chain_id') || ':' || (${table.alert}->>'block_hash')`;

export const recipientsOf = (channel: Channel): readonly string[] => KINDS[channel.kind].recipients(channel.settings);

/** @returns how many were not there yet */
export async function insert(tx: Transaction, rows: (typeof table.$inferInsert)[]): Promise<number> {
  let added = 0;
  for (let i = 0; i < rows.length; i += 1_000) {
    const part = rows.slice(i, i + 1_000);
    added += (await tx.insert(table).values(part).onConflictDoNothing().returning({ id: table.id })).length;
  }
  return added;
}
