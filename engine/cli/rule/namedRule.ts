/** Rules by name, out of the catalogue that the engine runs from. */
import { migrateControl } from "../../control/migrate.ts";
import { UserError } from "../../ops/errors.ts";
import { openCatalogue } from "../../rules/catalogue.ts";
import { loadConfiguration } from "../configuration.ts";
import { openControlOnly } from "../store.ts";
import { type LoadedRule, loadRule } from "./loadRule.ts";

export interface ListedRule {
  readonly name: string;
  readonly version: number;
  readonly state: string;
  /** Bytes of the module. */
  readonly size: number;
  readonly description: string;
}

async function catalogue() {
  const { config } = loadConfiguration();
  const control = openControlOnly(config);
  await migrateControl(control);
  return openCatalogue({ control, chains: config.engine.chains });
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

/** A file (.ts, .wasm), or the name of a live rule. @throws UserError when there is none */
export async function findRule(what: string): Promise<Pick<LoadedRule, "rule">> {
  if (/\.\w+$/.test(what)) return loadRule(what);
  const rules = await catalogue();
  const rule = (await rules.snapshot(rules.current())).find(({ name }) => name === what);
  if (rule) return { rule };
  const state = rules.get(what) ? `it is ${rules.get(what)!.state}` : "there is no such rule";
  throw new UserError(`Cannot run the rule "${what}": ${state}, expected a live rule or a file`, {
    next: "npx weir rule list",
  });
}
