import { ServiceUnavailable } from "../../ops/errors.ts";

/** Waits for work so long, and no longer: what is late is there the next time. What is away is others' to report. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const done = work.catch((error: unknown) => {
    if (!(error instanceof ServiceUnavailable)) throw error;
  });
  await Promise.race([done, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
