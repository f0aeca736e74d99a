/**
 * Labels as the control store has them, at most 5 s ago: lists and streams ask all the time, and mostly for addresses that nobody has named. So where there
 * are few labels all of them are read at once, and an address without one costs nothing; where there are more, each address is asked for once in 5 s.
 */
import { BUNDLED } from "../engine/label/bundled.ts";
import { keyOf, type Label } from "../engine/label/label.ts";
import type { LabelStore, OwnedLabel } from "../engine/label/labels.ts";

const KEPT_MS = 5_000;
/** To read so many takes 14 ms of CPU with the embedded control store; to ask it for one address 0.8, and 4 until it is there. */
const FEW = 2_000;
const MOST = 20_000;

interface Memory {
  readonly since: number;
  /** By keyOf, once somebody has asked; undefined: there are too many. */
  all?: Promise<ReadonlyMap<string, OwnedLabel> | undefined>;
  readonly asked: Map<string, OwnedLabel | undefined>;
}

/** What is changed through it shows at once; what others change, within 5 s. */
export function rememberedLabels(labels: LabelStore, now: () => number = Date.now): LabelStore {
  const nothing = (): Memory => ({ since: now(), asked: new Map() });
  let memory = nothing();

  /** Who is just asking goes on with the old ones, and what it learns is not remembered. */
  function forget(): void {
    memory = nothing();
  }

  /** As they were when all were read last. */
  let areFew = false;
  let renewing = false;
  /** In good time, so that nobody waits for it; if it fails, who comes later is told. */
  function renew(): void {
    if (renewing) return;
    renewing = true;
    const [before, next] = [memory, { ...nothing(), all: readAll() }];
    next.all
      .then(
        () => {
          if (memory === before) memory = next;
        },
        () => {},
      )
      .finally(() => {
        renewing = false;
      });
  }

  async function readAll(): Promise<ReadonlyMap<string, OwnedLabel> | undefined> {
    const limit = BUNDLED.length + FEW; // they come first
    const some = await labels.list({}, { limit: limit + 1, offset: 0 });
    areFew = some.length <= limit;
    return areFew ? new Map(some.map((label) => [keyOf(label), label])) : undefined;
  }

  async function known(addresses: readonly Pick<Label, "chainId" | "address">[]) {
    const age = now() - memory.since;
    if (age > KEPT_MS || memory.asked.size > MOST) forget();
    else if (age > KEPT_MS / 2 && areFew) renew();
    const mine = memory;
    mine.all ??= readAll();
    try {
      const all = await mine.all;
      if (all) return all;
    } catch (error) {
      if (memory === mine) forget();
      throw error;
    }
    const asked = addresses.filter((of) => !mine.asked.has(keyOf(of)));
    const found = asked.length > 0 ? await labels.find(asked) : new Map<string, OwnedLabel>();
    for (const of of asked) mine.asked.set(keyOf(of), found.get(keyOf(of)));
    return mine.asked;
  }

  return {
    ...labels,
    async find(addresses: readonly Pick<Label, "chainId" | "address">[]) {
      const of = await known(addresses);
      return new Map(
        addresses.flatMap((address) => {
          const label = of.get(keyOf(address));
          return label ? [[keyOf(address), label] as const] : [];
        }),
      );
    },
    set: (some, by) => labels.set(some, by).finally(forget),
    remove: (of, by) => labels.remove(of, by).finally(forget),
  };
}
