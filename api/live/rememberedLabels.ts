import { keyOf, type Label } from "../../engine/label/label.ts";
import type { LabelStore } from "../../engine/label/labels.ts";

const KEPT_MS = 5_000;
const MOST = 20_000;

/** Labels as the control store has them, asked once in 5 s for each address, also for what has none: a stream asks for the same all the time. */
export function rememberedLabels(
  labels: Pick<LabelStore, "find">,
  now: () => number = Date.now,
): Pick<LabelStore, "find"> {
  type Found = Awaited<ReturnType<LabelStore["find"]>> extends Map<string, infer L> ? L : never;
  let known = new Map<string, Found | undefined>();
  let since = now();

  return {
    async find(addresses: readonly Pick<Label, "chainId" | "address">[]) {
      if (now() - since > KEPT_MS || known.size > MOST) {
        known = new Map();
        since = now();
      }
      const memory = known;
      const asked = addresses.filter((of) => !memory.has(keyOf(of)));
      const found = asked.length > 0 ? await labels.find(asked) : new Map<string, Found>();
      for (const of of asked) memory.set(keyOf(of), found.get(keyOf(of)));
      return new Map(
        addresses.flatMap((of) => {
          const label = memory.get(keyOf(of));
          return label ? [[keyOf(of), label] as const] : [];
        }),
      );
    },
  };
}
