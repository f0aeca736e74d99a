import { beforeEach, expect, test } from "vitest";
import { keyOf, type Label } from "../engine/label/label.ts";
import type { LabelStore, OwnedLabel } from "../engine/label/labels.ts";
import { rememberedLabels } from "./rememberedLabels.ts";

const at = (n: number): Pick<Label, "chainId" | "address"> => ({
  chainId: 1,
  address: `0x${String(n).padStart(40, "0")}`,
});

let clock = 0;
let isAway = false;
const stored = new Map<string, OwnedLabel>();
/** Last digits of addresses, and `all`. */
const asked: string[] = [];
const store = {
  async list(_: object, { limit }: { limit: number }) {
    asked.push("all");
    if (isAway) throw new Error("away");
    return [...stored.values()].slice(0, limit);
  },
  async find(addresses: readonly Pick<Label, "chainId" | "address">[]) {
    asked.push(...addresses.map(({ address }) => address.slice(-1)));
    return new Map([...stored].filter(([key]) => addresses.some((of) => keyOf(of) === key)));
  },
  async set(labels: readonly Label[]) {
    for (const label of labels) stored.set(keyOf(label), label as OwnedLabel);
    return { added: labels.length, changed: 0 };
  },
  async remove(of: Pick<Label, "chainId" | "address">) {
    stored.delete(keyOf(of));
    return undefined;
  },
} as unknown as LabelStore;

beforeEach(() => {
  clock = 0;
  stored.clear();
  asked.length = 0;
});
const scene = () => {
  const labels = rememberedLabels(store, () => clock);
  const names = async (...ns: number[]) => [...(await labels.find(ns.map(at))).values()].map(({ name }) => name);
  return { labels, names };
};
const label = (n: number, name: string) => ({ ...at(n), name }) as OwnedLabel;

test("few are read at once, once in 5 s; what is changed here shows at once", async () => {
  const { labels, names } = scene();
  expect(await Promise.all([names(1, 2), names(2, 1, 3)])).toEqual([[], []]);
  expect(asked.splice(0)).toEqual(["all"]);
  await labels.set([label(2, "two")], "tester");
  expect(await names(1, 2)).toEqual(["two"]);
  await labels.remove(at(2), "tester");
  expect(await names(1, 2)).toEqual([]);
  expect(asked.splice(0)).toEqual(["all", "all"]);

  stored.set(keyOf(at(1)), label(1, "of another node"));
  clock = 2_500;
  expect(await names(1)).toEqual([]);
  expect(asked).toEqual([]);
  clock = 7_501;
  expect(await names(1)).toEqual(["of another node"]);
  expect(asked).toEqual(["all"]);
});

test("they are read again before they are too old, and nobody waits for that; what is changed here meanwhile shows at once", async () => {
  const { labels, names } = scene();
  expect(await names(1)).toEqual([]);
  stored.set(keyOf(at(1)), label(1, "of another node"));
  clock = 2_501;
  expect(await Promise.all([names(1), names(1)])).toEqual([[], []]);
  expect(asked).toEqual(["all", "all"]);
  expect(await names(1)).toEqual(["of another node"]);
  clock = 7_502;
  isAway = true;
  await expect(names(1)).rejects.toThrow("away");
  isAway = false;
  expect(await names(1)).toEqual(["of another node"]);
  clock = 12_000;
  const old = names(1);
  await labels.set([label(2, "two")], "tester");
  expect([await old, await names(1, 2)]).toEqual([["of another node"], ["of another node", "two"]]);
});

test("of many an address is asked for once in 5 s, also without a label", async () => {
  const { labels, names } = scene();
  for (let n = 1_000; n < 4_000; n++) stored.set(keyOf(at(n)), label(n, String(n)));
  expect(await names(1, 1_002)).toEqual(["1002"]);
  expect(await names(1_002, 1, 3)).toEqual(["1002"]);
  expect(asked.splice(0)).toEqual(["all", "1", "2", "3"]);
  await labels.set([label(1, "one")], "tester");
  expect(await names(1)).toEqual(["one"]);
  clock = 5_000;
  expect(await names(1)).toEqual(["one"]);
  clock = 5_001;
  expect(await names(1)).toEqual(["one"]);
  expect(asked).toEqual(["all", "1", "all", "1"]);
});

test("that the control store is away is told to who asks, and asked again by the next", async () => {
  const { names } = scene();
  isAway = true;
  await expect(names(1)).rejects.toThrow("away");
  isAway = false;
  stored.set(keyOf(at(1)), label(1, "one"));
  expect(await names(1)).toEqual(["one"]);
});
