import { expect, test } from "vitest";
import { createLog } from "./log.ts";

function logged(
  options: Parameters<typeof createLog>[0],
  write: (log: ReturnType<typeof createLog>) => void,
): string[] {
  const lines: string[] = [];
  write(createLog({ ...options, stream: { write: (line) => void lines.push(line) } }));
  return lines;
}

test("a line is JSON with time, level and event", () => {
  const [line] = logged({}, (log) => log.info({ event: "range_stored", rows: 3 }, "Stored a range"));
  expect(JSON.parse(line!)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    event: "range_stored",
    rows: 3,
    msg: "Stored a range",
  });
});

test("secrets and credentials never get out, wherever they stand", () => {
  const secret = 'to"ken\\with\nspecials';
  const lines = logged({ secrets: [secret, undefined, ""] }, (log) => {
    log.warn({ event: "a", deep: { list: [`x ${secret} y`] }, [`k${secret}`]: 1 }, `msg ${secret}`);
    log.error({ err: new Error(`Cannot reach http://me:hunter2@host/ with ${secret}`) });
  });
  expect(lines.map((line) => JSON.parse(line).deep)).toEqual([{ list: ["x *** y"] }, undefined]);
  expect(lines.join("")).not.toMatch(/specials|hunter2/);
});

test("a terminal gets a readable line, with the stack of an error below", () => {
  const lines = logged({ pretty: true }, (log) => {
    log.warn({ event: "range_retried", partition: 3, why: "busy" }, "Trying again");
    log.error({ err: new Error("boom") });
  });
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}warn {3}range_retried {2}Trying again {2}partition=3 why=busy\n$/,
  );
  expect(lines[1]).toMatch(/Error: boom\n +at /);
});

test("what is below the level is not written", () => {
  expect(logged({ level: "warn" }, (log) => log.info("x"))).toEqual([]);
});
