/** Closes hours of statistics: what is final is summed up once, in one row an hour that is replaced as a whole. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import {
  closeHoursStatement,
  type OpenHour,
  openHoursQuery,
  openHoursStatement,
} from "../../clickhouse/queries/hours.ts";
import { messageOf } from "../ops/errors.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";

/** Hours of one statement: of a busy chain one has some 10,000 arbitrages. */
const TOGETHER = 100;
const EVERY_MS = 10_000;

/**
 * Closes every hour that is final and open. Done twice, by two engines, or again after a kill, it gives the same: an hour is made of what
 * its tables have, not added to.
 * @returns how many hours were closed
 */
export async function closeHours(store: Store, failpoint?: Failpoint, together = TOGETHER): Promise<number> {
  const { sql, params } = openHoursQuery({});
  const hours = (await store.rows<OpenHour>(sql, params)).filter(({ final }) => final === 1);
  for (let at = 0; at < hours.length; at += together) {
    const statement = closeHoursStatement(hours.slice(at, at + together));
    await store.command(statement.sql, statement.params);
    failpoint?.("hours closed");
  }
  return hours.length;
}

/** Opens the hours that a block has rows in: call it whenever `replaced_blocks` says otherwise of the block than before. */
export async function openHours(store: Store, block: { chainId: number; number: number; hash: string }): Promise<void> {
  const { sql, params } = openHoursStatement(block);
  await store.command(sql, params);
}

/** Closes hours now and then until the signal aborts; while the store is away, they stay open and are computed when asked for. */
export async function keepClosingHours(store: Store, log: Log, signal: AbortSignal, everyMs = EVERY_MS): Promise<void> {
  while (!signal.aborted) {
    try {
      await closeHours(store);
    } catch (error) {
      const reason = messageOf(error);
      logSeldom(log, "warn", { event: "hours_open", reason }, "Cannot close hours of statistics; trying again");
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {}); // aborted: the loop ends
  }
}
