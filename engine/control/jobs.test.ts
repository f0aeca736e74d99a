import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { sql } from "./drizzle.ts";
import { JobHeld, runJob } from "./jobs.ts";
import { migrateControl } from "./migrate.ts";
import type { Control } from "./open.ts";

describe.each(CONTROL_KINDS.filter(({ skip }) => skip === undefined))(
  "runJob() on a control store: $kind",
  ({ start }) => {
    let place: ControlStore;
    let control: Control;
    beforeAll(async () => {
      place = await start();
      control = await emptyControl(place.options);
      await migrateControl(control);
    });
    afterAll(async () => {
      await control.close();
      await place.remove();
    });

    test("one process at a time; the other is told who", async () => {
      let finish = (): void => {};
      const first = runJob(control, "one", () => new Promise<void>((resolve) => (finish = resolve)));
      while ((await holder("one")) === null) await sleep(5);
      await expect(runJob(control, "one", async () => {})).rejects.toThrow(JobHeld);
      await expect(runJob(control, "one", async () => {})).rejects.toThrow(String(process.pid));
      finish();
      expect(await first).toEqual({ result: undefined });
      expect(await runJob(control, "one", async () => 2)).toEqual({ result: 2 });
    });

    test("not before its time, counted from the last run that came to its end", async () => {
      await expect(
        runJob(control, "two", () => Promise.reject(new Error("no")), { everySeconds: 3600 }),
      ).rejects.toThrow("no");
      expect(await runJob(control, "two", async () => 1, { everySeconds: 3600 })).toEqual({ result: 1 });
      expect(await runJob(control, "two", async () => 2, { everySeconds: 3600 })).toBeUndefined();
      expect(await runJob(control, "two", async () => 3)).toEqual({ result: 3 });
    });

    test("a lease that is not renewed is taken over, and who had it is told", async () => {
      const hung = runJob(
        control,
        "three",
        (signal) => new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("aborted"))),
        { leaseSeconds: 0, renewMs: 100 },
      );
      while ((await holder("three")) === null) await sleep(5);
      expect(await runJob(control, "three", async () => await hung.then(() => "mine"))).toEqual({ result: "mine" });
      expect(await hung).toEqual({ result: "aborted" });
      expect(await holder("three")).toBeNull();
    });

    async function holder(name: string): Promise<string | null> {
      const { rows } = await control.read((db) =>
        db.execute<{ holder: string | null }>(sql`SELECT holder FROM jobs WHERE name = ${name}`),
      );
      return rows[0]?.holder ?? null;
    }
  },
);
