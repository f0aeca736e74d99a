/** Rules by name, out of the catalogue that the engine runs from. */

import { readRegistry } from "../../chain/registry/readRegistry.ts";
import type { ListUse } from "../../condition/listKinds.ts";
import { migrateControl } from "../../control/migrate.ts";
import { UserError } from "../../ops/errors.ts";
import { openCatalogue } from "../../rules/catalogue.ts";
import type { LiveRule } from "../../rules/liveRule.ts";
import type { Parameters, ParameterValues } from "../../sandbox/parameters.ts";
import type { Lists } from "../../world/world.ts";
import { loadConfiguration } from "../configuration.ts";
import { openControlOnly } from "../store.ts";
import { type LoadedRule, loadRule } from "./loadRule.ts";
import type { GivenValues } from "./values.ts";

export interface ListedRule {
  readonly name: string;
  readonly version: number;
  readonly state: string;
  /** Bytes of the module. */
  readonly size: number;
  readonly description: string;
}

/** A rule as it is shown: with the names of the API's answers. */
export interface ShownRule {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly kind: string;
  /** That runs, or would. */
  readonly version: number;
  readonly manifest: { readonly description: string; readonly parameters: Parameters };
  readonly parameters: ParameterValues;
}

export interface ShownVersion {
  readonly version: number;
  readonly runs: "live" | "shadow" | null;
  readonly sha256: string;
  readonly uploaded_at: string;
  readonly uploaded_by: string;
  readonly parameters: ParameterValues;
}

async function catalogue() {
  const { config } = loadConfiguration();
  const control = openControlOnly(config);
  await migrateControl(control);
  return openCatalogue({ control, chains: config.engine.chains, registry: readRegistry(config.registry) });
}

export async function listRules(): Promise<ListedRule[]> {
  return (await catalogue()).list().map(({ name, version, state, size, manifest }) => ({
    name,
    version,
    state,
    size,
    description: manifest.description,
  }));
}

/** A rule and its versions, the newest first. @throws UserError when there is none */
export async function showRule(name: string): Promise<{ rule: ShownRule; versions: ShownVersion[] }> {
  const rules = await catalogue();
  const versions = await rules.versions(name);
  const rule = rules.get(name)!;
  const running = rule.state === "live" || rule.state === "shadow";
  const runs = (version: number): ShownVersion["runs"] => {
    if (!running) return null;
    return version === rule.liveVersion ? "live" : version === rule.shadowVersion ? "shadow" : null;
  };
  return {
    rule,
    versions: versions.map(({ version, sha256, uploadedAt, uploadedBy, parameters }) => ({
      ...{ version, runs: runs(version), sha256, parameters },
      ...{ uploaded_at: uploadedAt.toISOString(), uploaded_by: uploadedBy },
    })),
  };
}

/**
 * A file (.ts, .wasm, .json), or the name of a rule that runs: its live version, or the one on trial where none is live.
 * @param given values of its parameters in place of those that it has. @throws UserError when there is none
 */
export async function findRule(what: string, given?: GivenValues): Promise<Pick<LoadedRule, "rule">> {
  if (/\.\w+$/.test(what)) return loadRule(what, given);
  const rules = await catalogue();
  const rule = rules.get(what);
  if (rule?.state === "live" || rule?.state === "shadow" || rule?.state === "throttled")
    return { rule: await rules.version(what, rule.version, given) };
  const state = rule ? `it is ${rule.state}` : "there is no such rule";
  throw new UserError(`Cannot run the rule "${what}": ${state}, expected a live rule or a file`, {
    next: "npx weir rule list",
  });
}

/** Lists that a rule names, as they are where rules are kept. @throws UserError when one is not there */
export const storedLists = async (rule: LiveRule, uses: readonly ListUse[]): Promise<Lists> =>
  (await catalogue()).listsFor([{ ...rule, manifest: { ...rule.manifest, lists: [...uses] } }]);
