import { expect, test } from "vitest";
import { createKept, type PieceName } from "./kept.ts";

type Piece = PieceName & { readonly size: number };
const pieces = (...names: readonly string[]): Piece[] =>
  names.map((name) => ({ key: name.split(":")[0]!, version: name.split(":")[1] ?? "1", size: 1 }));
const named = (taken: readonly Piece[]): string[] => taken.map(({ key, version }) => `${key}:${version}`);

/** What was read, in turn. */
function scene(maxSize = 100) {
  const kept = createKept<Piece>(maxSize, ({ size }) => size);
  const read: string[][] = [];
  const take = (name: string, ...wanted: readonly string[]) =>
    kept.take(name, pieces(...wanted), async (missing) => {
      read.push(missing.map(({ key }) => key));
      return missing as Piece[];
    });
  return { kept, read, take };
}

test("only what is missing or has another version is read, of each name by itself", async () => {
  const { read, take } = scene();
  expect(named(await take("hours", "a", "b"))).toEqual(["a:1", "b:1"]);
  expect(named(await take("hours", "b", "c", "a"))).toEqual(["b:1", "c:1", "a:1"]);
  expect(named(await take("hours", "a:2", "c"))).toEqual(["a:2", "c:1"]);
  expect(named(await take("days", "a"))).toEqual(["a:1"]);
  expect(read).toEqual([["a", "b"], ["c"], ["a"], ["a"]]);
});

test("what comes with it is kept, and what is not there is asked for again", async () => {
  const { kept, read, take } = scene();
  const taken = await kept.take("hours", pieces("a", "b"), async () => pieces("a", "x"));
  expect(named(taken)).toEqual(["a:1"]);
  await take("hours", "x");
  await take("hours", "b");
  expect(read).toEqual([["b"]]);
});

test("what is found in another version than it should have is given as it is, and not taken for right later", async () => {
  const { kept, read, take } = scene();
  expect(named(await kept.take("hours", pieces("a:2"), async () => pieces("a:1")))).toEqual(["a:1"]);
  expect(named(await take("hours", "a:2"))).toEqual(["a:2"]);
  expect(read).toEqual([["a"]]);
});

test("two who ask at once read it once", async () => {
  const { read, take } = scene();
  expect((await Promise.all([take("hours", "a", "b"), take("hours", "b", "c")])).map(named)).toEqual([["a:1", "b:1"], ["b:1", "c:1"]]); // biome-ignore format: one line
  expect(read).toEqual([["a", "b"], ["c"]]);
});

test("when it is too much, what was not wanted last goes", async () => {
  const { read, take } = scene(5); // a piece has its size, and one
  await take("hours", "a", "b");
  await take("days", "c");
  expect(named(await take("days", "c"))).toEqual(["c:1"]);
  await take("hours", "a", "b");
  expect(read).toEqual([["a", "b"], ["c"], ["a", "b"]]);
});

test("who asked is told that it failed, and the next one reads", async () => {
  const { kept, take } = scene();
  await expect(kept.take("hours", pieces("a"), () => Promise.reject(new Error("store away")))).rejects.toThrow("away");
  expect(named(await take("hours", "a"))).toEqual(["a:1"]);
});
