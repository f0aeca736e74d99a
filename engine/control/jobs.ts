/** Work that one process does at a time, however many run, on one host or several: who does it holds a lease in the control store. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { UserError } from "../ops/errors.ts";
import { sql } from "./drizzle.ts";
import type { Control } from "./open.ts";

/** How long a lease holds that nobody renews: the process was killed. */
const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;

/** Another process is at it. */
export class JobHeld extends UserError {}

export interface JobOptions {
  /** Lets others go first that ran it less than this ago; default: none. */
  readonly everySeconds?: number;
  readonly leaseSeconds?: number;
  readonly renewMs?: number;
}

/**
 * Runs work unless another process is at it.
 * @param work its signal aborts when the lease is lost, as when this process had hung: then another may be at it
 * @returns its result; undefined when it ran less than `everySeconds` ago
 * @throws JobHeld naming the process that is at it; ControlUnavailable; what the work throws
 */
export async function runJob<T>(
  control: Control,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
  { everySeconds = 0, leaseSeconds = LEASE_SECONDS, renewMs = RENEW_MS }: JobOptions = {},
): Promise<{ readonly result: T } | undefined> {
  const me = `${hostname()} ${process.pid} ${randomBytes(4).toString("hex")}`;
  const lease = sql`now() + make_interval(secs => ${leaseSeconds})`;
  const free = sql`(jobs.holder IS NULL OR jobs.held_until < now())`;
  const due = sql`(jobs.ran_at IS NULL OR jobs.ran_at <= now() - make_interval(secs => ${everySeconds}))`;
  const begun = await control.change(async (tx) => {
    await tx.execute(sql`INSERT INTO jobs (name) VALUES (${name}) ON CONFLICT DO NOTHING`);
    const { rows } = await tx.execute<{ holder: string | null; due: boolean; free: boolean; now: string }>(
      sql`SELECT holder, ${due} AS due, ${free} AS free, now()::text AS now FROM jobs WHERE name = ${name} FOR UPDATE`,
    );
    const [job] = rows;
    if (job!.free && job!.due)
      await tx.execute(sql`UPDATE jobs SET holder = ${me}, held_until = ${lease} WHERE name = ${name}`);
    return job!;
  });
  if (!begun.due) return undefined;
  if (!begun.free)
    throw new JobHeld(`Cannot run "${name}": process ${begun.holder} is at it, expected none`, {
      next: `Wait for it; should it have been killed, ${leaseSeconds} seconds`,
    });
  const lost = new AbortController();
  const renewing = setInterval(() => void renew(), renewMs);
  renewing.unref();
  let done = false;
  try {
    const result = await work(lost.signal);
    done = true;
    return { result };
  } finally {
    clearInterval(renewing);
    await control.change((tx) =>
      tx.execute(
        sql`UPDATE jobs SET holder = NULL, held_until = NULL, ran_at = ${done ? sql`${begun.now}::timestamptz` : sql`ran_at`}
            WHERE name = ${name} AND holder = ${me}`,
      ),
    );
  }

  async function renew(): Promise<void> {
    try {
      const { rowCount } = await control.change((tx) =>
        tx.execute(sql`UPDATE jobs SET held_until = ${lease} WHERE name = ${name} AND holder = ${me}`),
      );
      if (rowCount === 0) lost.abort(new JobHeld(`Cannot go on with "${name}": another process has taken it over`));
    } catch {
      // The control store is away: the next one tells, or somebody else takes over and this one is told.
    }
  }
}
