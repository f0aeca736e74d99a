import { expect, test } from "vitest";
import { createMoments, type Moment } from "./moment.ts";

/** Tables with versions; what is read of one is its version, and how often anything was read. */
function scene() {
  const tables = new Map([["stats_hours", "1"], ["arbitrages", "1"]]); // biome-ignore format: two tables
  let [time, reads] = [0, 0];
  const known = async () => new Map(tables);
  const moments = createMoments({ versions: known, versionsNow: known, now: () => time, maxAgeMs: 10_000 });
  const read = (moment: Moment, table: string, before = () => {}) =>
    moment.read(table, [table], async () => {
      before();
      return [`${table} ${tables.get(table)}, read ${++reads}`];
    });
  return { tables, moments, read, pass: (ms: number) => (time += ms) };
}

test("what was read holds until its tables are written, or its time is up", async () => {
  const { tables, moments, read, pass } = scene();
  const ask = () => moments.now((moment) => read(moment, "arbitrages"));
  expect([await ask(), await ask()]).toEqual([["arbitrages 1, read 1"], ["arbitrages 1, read 1"]]);
  expect(await Promise.all([moments.now((moment) => read(moment, "stats_hours")), ask()])).toEqual([
    ["stats_hours 1, read 2"],
    ["arbitrages 1, read 1"],
  ]);
  tables.set("arbitrages", "2");
  expect([await ask(), await ask()]).toEqual([["arbitrages 2, read 3"], ["arbitrages 2, read 3"]]);
  pass(9_999);
  expect(await ask()).toEqual(["arbitrages 2, read 3"]);
  pass(1);
  expect(await ask()).toEqual(["arbitrages 2, read 4"]);
});

test("an answer is made anew when an hour was closed or opened while it was made, and nothing of the first is kept", async () => {
  const { tables, moments, read } = scene();
  const moved = moments.now(async (moment) => [
    ...(await read(moment, "arbitrages")),
    ...(await read(moment, "stats_hours", () => {
      if (tables.get("stats_hours") === "1") tables.set("stats_hours", "2");
    })),
  ]);
  expect(await moved).toEqual(["arbitrages 1, read 3", "stats_hours 2, read 4"]);
  expect(await moments.now((moment) => read(moment, "arbitrages"))).toEqual(["arbitrages 1, read 3"]);
});

test("who asks for what another is reading waits until it is known to be of one state", async () => {
  const { tables, moments, read } = scene();
  const answers = await Promise.all(
    [1, 2].map(() =>
      moments.now((moment) =>
        read(moment, "arbitrages", () => {
          if (tables.get("stats_hours") === "1") tables.set("stats_hours", "2");
        }),
      ),
    ),
  );
  expect(answers).toEqual([["arbitrages 1, read 2"], ["arbitrages 1, read 2"]]);
});

test("what is made ahead is there when its versions are told, and what was told before stays until then", async () => {
  const { tables, moments, read, pass } = scene();
  const ask = () => moments.now((moment) => read(moment, "arbitrages"));
  expect(await ask()).toEqual(["arbitrages 1, read 1"]);
  await moments.next(new Map([...tables, ["arbitrages", "2"]]), (moment) => read(moment, "arbitrages"));
  expect(await ask()).toEqual(["arbitrages 1, read 1"]);
  tables.set("arbitrages", "2");
  expect(await ask()).toEqual(["arbitrages 1, read 2"]);
  pass(6_000);
  await moments.next(tables, (moment) => read(moment, "arbitrages"));
  expect(await ask()).toEqual(["arbitrages 2, read 3"]); // before it is too old
});

test("what is made of what is known to be of one state is known to be so, too; else it is looked, and made anew", async () => {
  const tables = new Map([["stats_hours", "1"]]);
  let looks = 0;
  const moments = createMoments({
    versions: async () => new Map(tables),
    versionsNow: async () => {
      looks++;
      return new Map(tables);
    },
    now: () => 0,
    maxAgeMs: 10_000,
  });
  const made: string[] = [];
  const ask = (name: string, meanwhile = () => {}) =>
    moments.now((moment) => {
      const make = async () => {
        const [row] = await moment.read("row", ["stats_hours"], async () => [`of ${tables.get("stats_hours")}`]);
        meanwhile();
        made.push(name);
        return `${name} ${row}`;
      };
      return moment.make(name, ["stats_hours"], make, () => 1);
    });
  expect([await ask("a"), looks]).toEqual(["a of 1", 1]);
  expect([await ask("b"), await ask("b"), looks]).toEqual(["b of 1", "b of 1", 1]);
  tables.set("stats_hours", "2");
  const closing = () => tables.set("stats_hours", "3");
  expect([await ask("b", closing), looks]).toEqual(["b of 3", 3]);
  expect([await ask("b"), looks, made]).toEqual(["b of 3", 3, ["a", "b", "b", "b"]]);
});

test("what was kept and is of another state makes that it is looked, and made anew", async () => {
  const { tables, moments } = scene();
  let tries = 0;
  const answer = moments.now(async (moment) => {
    if (tries++ === 0) {
      tables.set("stats_hours", "2");
      moment.moved();
    }
    return moment.version(["stats_hours", "arbitrages"]);
  });
  expect([await answer, tries]).toEqual(["2 1", 2]);
});

test("a failure is told, and nothing is kept of it", async () => {
  const { moments, read } = scene();
  const failing = moments.now((moment) => moment.read("arbitrages", [], () => Promise.reject(new Error("store away"))));
  await expect(failing).rejects.toThrow("store away");
  expect(await moments.now((moment) => read(moment, "arbitrages"))).toEqual(["arbitrages 1, read 1"]);
});
