import { UsageError } from "../../engine/ops/errors.ts";
import type { Feature, Group, Window } from "./feature.ts";
import { NETWORK } from "./network.ts";
import { PRICE } from "./price.ts";
import { RISK_FEATURES } from "./risk.ts";
import { VOLUME } from "./volume.ts";

/** All features, in the order of the groups. */
export const CATALOGUE: readonly (Feature & { readonly group: Group })[] = [
  ...PRICE.map((feature) => ({ ...feature, group: "price" as const })),
  ...VOLUME.map((feature) => ({ ...feature, group: "volume" as const })),
  ...NETWORK.map((feature) => ({ ...feature, group: "network" as const })),
  ...RISK_FEATURES.map((feature) => ({ ...feature, group: "risk" as const })),
];

/** A feature over one window, or without one: a column of the answer. */
export interface FeatureColumn {
  /** `price_volatility_5m` */
  readonly name: string;
  readonly feature: (typeof CATALOGUE)[number];
  readonly window: Window | undefined;
}

export const COLUMNS: readonly FeatureColumn[] = CATALOGUE.flatMap((feature) =>
  (feature.windows ?? [undefined]).map((window) => ({
    name: window === undefined ? feature.name : `${feature.name}_${window}`,
    feature,
    window,
  })),
);

const KNOWN = new Set(COLUMNS.flatMap(({ name, feature }) => [name, feature.name, feature.group as string]));

/** The first that is neither feature, nor column, nor group. */
export const findUnknown = (names: readonly string[]): string | undefined => names.find((name) => !KNOWN.has(name));

/**
 * Columns of features, groups and single columns by their names, in the catalogue's order; without names all.
 * @throws UsageError naming what is no such thing
 */
export function selectColumns(names: readonly string[] = []): readonly FeatureColumn[] {
  if (names.length === 0) return COLUMNS;
  const wanted = new Set(names);
  const unknown = findUnknown(names);
  if (unknown !== undefined)
    throw new UsageError(
      `Cannot compute feature "${unknown.slice(0, 100)}": there is none of that name, expected a name, a name with its window, or a group (weir features list)`,
    );
  return COLUMNS.filter(({ name, feature }) => [name, feature.name, feature.group].some((one) => wanted.has(one)));
}
