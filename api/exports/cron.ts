/** How often: by name, or as a cron expression of five fields in UTC. */
import { Cron } from "croner";
import { UserError } from "../../engine/ops/errors.ts";

const NAMES: Readonly<Record<string, string>> = {
  hourly: "0 * * * *",
  daily: "0 0 * * *",
  weekly: "0 0 * * 1",
  monthly: "0 0 1 * *",
};

/** @throws UserError for what is neither a name nor an expression */
export function cronOf(frequency: string): string {
  const cron = NAMES[frequency] ?? frequency.trim();
  const wrong = new UserError(
    `Cannot export every "${frequency.slice(0, 100)}": it is not known, expected ${Object.keys(NAMES).join(", ")}, or a cron expression of five fields such as 30 2 * * *`,
  );
  if (cron.split(/\s+/).length !== 5) throw wrong;
  try {
    nextRun(cron, new Date());
  } catch {
    throw wrong;
  }
  return cron;
}

/** @returns the first time after `after` @throws when there is none */
export function nextRun(cron: string, after: Date): Date {
  const next = new Cron(cron, { timezone: "UTC", paused: true }).nextRun(after);
  if (next === null) throw new RangeError(`Cannot tell when "${cron}" is due: it never is, expected some time`);
  return next;
}
