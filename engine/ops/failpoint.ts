import { appendFileSync } from "node:fs";

/** A named place in the data path where a crash test may stop the process. */
export type Failpoint = (name: FailpointName) => void;

/** Every place, in the order in which a range passes them; tables are stored side by side. */
export const FAILPOINTS = [
  "after assign",
  "after poll",
  "before publish",
  "records produced",
  "before commit",
  "after publish",
  "before store",
  "stored transactions",
  "stored transfers",
  "stored alerts",
  "stored dead_letters",
  "stored rule_stats",
  "stored rule_state",
  "stored findings",
  "after store",
  "before revoke",
] as const;

/** Places in work that is done now and then, each kind in its order. */
export const WORK_FAILPOINTS = [
  "backup of store",
  "backup of control",
  "restore of store",
  "restore of control",
  "restore of ledgers",
  "segment file written",
  "hours closed",
  "table cleaned",
  "table restored",
  "export batch written",
  "export file written",
] as const;
export type FailpointName = (typeof FAILPOINTS)[number] | (typeof WORK_FAILPOINTS)[number];

/**
 * `before commit@3` kills this process with SIGKILL the third time it gets there, as the kernel or a power switch would: nothing
 * is flushed or closed. With `=FILE` behind it a line is left in the file first, so that a test knows that it happened.
 * Unset, it costs a comparison.
 */
export function createFailpoint(setting: string | undefined): Failpoint {
  if (setting === undefined) return () => {};
  const [, name, count = "1", file] = /^([^@=]+)(?:@(\d+))?(?:=(.+))?$/.exec(setting) ?? [];
  const known: readonly string[] = [...FAILPOINTS, ...WORK_FAILPOINTS];
  if (!known.includes(name!))
    throw new Error(`Cannot set the failpoint "${name}": there is none, expected one of ${known.join(", ")}`);
  let left = Number(count);
  return (reached) => {
    if (reached !== name || --left > 0) return;
    if (file) appendFileSync(file, `${reached}\n`);
    process.kill(process.pid, "SIGKILL");
  };
}
