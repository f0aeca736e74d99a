import { readFileSync } from "node:fs";

/** Whether there is a process with this pid. One of another user is; one that has ended and was not collected is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // A dead child whose parent is gone stays as a zombie where nobody collects them, as in many containers.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return true; // no /proc here
  }
}
