/** Labels as the control store has them, asked once in 5 s for each address, also for what has none: lists and streams ask for the same all the time. */
import { keyOf, type Label } from "../engine/label/label.ts";
import type { LabelStore, OwnedLabel } from "../engine/label/labels.ts";

const KEPT_MS = 5_000;
const MOST = 20_000;

/** What is changed through it shows at once; what others change, within 5 s. */
export function rememberedLabels(labels: LabelStore, now: () => number = Date.now): LabelStore {
  let known = new Map<string, OwnedLabel | undefined>();
  let since = now();

  /** Who is just asking goes on with the old ones, and what it learns is not remembered. */
  function forget(): void {
    known = new Map();
    since = now();
  }

  return {
    ...labels,
    async find(addresses: readonly Pick<Label, "chainId" | "address">[]) {
      if (now() - since > KEPT_MS || known.size > MOST) forget();
      const memory = known;
      const asked = addresses.filter((of) => !memory.has(keyOf(of)));
      const found = asked.length > 0 ? await labels.find(asked) : new Map<string, OwnedLabel>();
      for (const of of asked) memory.set(keyOf(of), found.get(keyOf(of)));
      return new Map(
        addresses.flatMap((of) => {
          const label = memory.get(keyOf(of));
          return label ? [[keyOf(of), label] as const] : [];
        }),
      );
    },
    set: (some, by) => labels.set(some, by).finally(forget),
    remove: (of, by) => labels.remove(of, by).finally(forget),
  };
}
