import { expect, test } from "vitest";
import { keyOf, type Label } from "../engine/label/label.ts";
import type { LabelStore, OwnedLabel } from "../engine/label/labels.ts";
import { rememberedLabels } from "./rememberedLabels.ts";

const at = (n: number): Pick<Label, "chainId" | "address"> => ({
  chainId: 1,
  address: `0x${String(n).padStart(40, "0")}`,
});

test("an address is asked for once in 5 s, also without a label; what is changed here shows at once", async () => {
  let clock = 0;
  const stored = new Map<string, OwnedLabel>();
  const asked: string[] = [];
  const store = {
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
  const labels = rememberedLabels(store, () => clock);
  const names = async (...ns: number[]) => [...(await labels.find(ns.map(at))).values()].map(({ name }) => name);

  expect(await names(1, 2)).toEqual([]);
  expect(await names(2, 1, 3)).toEqual([]);
  expect(asked.splice(0)).toEqual(["1", "2", "3"]);
  await labels.set([{ ...at(2), name: "two" } as Label], "tester");
  expect(await names(1, 2)).toEqual(["two"]);
  await labels.remove(at(2), "tester");
  expect(await names(1, 2)).toEqual([]);
  expect(asked.splice(0)).toEqual(["1", "2", "1", "2"]);

  stored.set(keyOf(at(1)), { ...at(1), name: "of another node" } as OwnedLabel);
  clock = 5_000;
  expect(await names(1)).toEqual([]);
  clock = 5_001;
  expect(await names(1)).toEqual(["of another node"]);
});
