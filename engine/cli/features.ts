/** `weir features …`: what may be known of a transaction before it; one file a command in features/. */
import type { Command } from "commander";
import { computeFeaturesCommand } from "./features/compute.ts";
import { listFeaturesCommand } from "./features/list.ts";
import { prepareFeaturesCommand } from "./features/prepare.ts";

export function featuresCommand(features: Command): void {
  listFeaturesCommand(features.command("list").description("names, groups, windows and formulas"));
  computeFeaturesCommand(features.command("compute").description("a row a transaction of a chain and period"));
  prepareFeaturesCommand(
    features.command("prepare").description("scaled and encoded for a model, in train, val and test by time"),
  );
}
