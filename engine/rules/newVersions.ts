/** What becomes of rules with new versions: of another content, or the same one with other values of its parameters. */
import type { Database, Transaction } from "../control/open.ts";
import { UserError } from "../ops/errors.ts";
import { checkValues, type ParameterProblem, type ParameterValues, textOfValues } from "../sandbox/parameters.ts";
import { admissionId } from "./admission.ts";
import {
  admitAgain,
  type Loaded,
  loadJson,
  loadModule,
  loadPrepared,
  type Prepared,
  ValuesRefused,
} from "./content.ts";
import { baseVersion, type Life, uploaded, type Wish } from "./lifecycle.ts";
import { type NewVersion, type RuleWithVersions, readAdmitted, readContents } from "./ruleTables.ts";

/** Values that a rule's parameters cannot have. */
export class ParametersRefused extends UserError {
  readonly problems: readonly ParameterProblem[];
  constructor(rule: string, problems: readonly ParameterProblem[]) {
    const list = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    super(`Cannot set parameters of the rule "${rule}": ${list.join("; ")}`, { next: `npx weir rule show ${rule}` });
    this.problems = problems;
  }
}

/** A version that is asked for. */
export interface Wanted {
  readonly content: Pick<NewVersion, "kind" | "sha256" | "size" | "manifest">;
  /** @param base the version in whose place it is to run; undefined for a new rule */
  values(base: NewVersion | undefined): ParameterValues;
}

/** A rule as far as a plan needs it. */
export type PlannedRule = Life & Pick<RuleWithVersions, "name" | "owner" | "versions">;

export interface Plan {
  readonly rules: ReadonlyMap<string, PlannedRule>;
  readonly versions: readonly NewVersion[];
  /** Of each that was asked for, in order. What is the newest version already is no new one. */
  readonly results: readonly { readonly name: string; readonly version: number; readonly changed: boolean }[];
}

/** @throws RuleConflict when the state of a rule does not allow it */
export function planVersions(
  before: ReadonlyMap<string, PlannedRule>,
  wanted: readonly Wanted[],
  { by, state }: { readonly by: string; readonly state: Wish },
): Plan {
  const rules = new Map(before);
  const versions: NewVersion[] = [];
  const results = wanted.map(({ content, values }) => {
    const { name } = content.manifest;
    const rule = rules.get(name);
    const newest = rule?.versions.get(rule.newestVersion);
    const parameters = values(rule?.versions.get(baseVersion(rule, state)));
    const isNew = newest?.sha256 !== content.sha256 || textOfValues(newest.parameters) !== textOfValues(parameters);
    const version = isNew ? (rule?.newestVersion ?? 0) + 1 : rule!.newestVersion;
    const made: NewVersion = { ...content, rule: name, version, parameters, uploadedBy: by };
    if (isNew) versions.push(made);
    const life = uploaded(name, rule, version, state);
    const all = new Map([...(rule?.versions ?? []), ...(isNew ? [[version, made] as const] : [])]);
    rules.set(name, { ...life, name, owner: rule?.owner ?? by, versions: all });
    return { name, version, changed: isNew || !rule || !sameLife(rule, life) };
  });
  return { rules, versions, results };
}

/**
 * An upload keeps the values that somebody gave the version in whose place it runs: mending a rule must not reset its thresholds.
 * What it does not declare any more, or could not run with, has its default.
 */
export function uploadOf(prepared: Prepared): Wanted {
  const { kind, sha256, bytes, manifest } = prepared;
  return {
    content: { kind, sha256, size: bytes.length, manifest },
    values(base) {
      const fits = ([name, value]: [string, unknown]) => checkValues(manifest.parameters, { [name]: value }).ok;
      const kept = checkValues(manifest.parameters, Object.fromEntries(Object.entries(base?.parameters ?? {}).filter(fits))); // biome-ignore format: one expression
      if (!kept.ok || Object.keys(kept.values).length === 0) return {};
      return runsWith(loadPrepared(prepared), kept.values) ? kept.values : {};
    },
  };
}

function runsWith(loaded: Loaded, values: ParameterValues): boolean {
  try {
    loaded.with(values);
    return true;
  } catch (error) {
    if (error instanceof ValuesRefused) return false;
    throw error;
  }
}

/**
 * The same content with other values.
 * @param given by name; null is the default. With `merge`, what is left out stays as it is; else it gets its default
 * @throws ParametersRefused
 */
export async function otherValues(
  db: Database | Transaction,
  rule: string,
  base: NewVersion,
  given: unknown,
  merge: boolean,
): Promise<Wanted> {
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  const checked = checkValues(base.manifest.parameters, merge && isObject ? { ...base.parameters, ...given } : given);
  if (!checked.ok) throw new ParametersRefused(rule, checked.problems);
  const { values } = checked;
  if (Object.keys(values).length > 0) {
    const loaded = await loadContent(db, base);
    try {
      loaded.with(values);
    } catch (error) {
      if (!(error instanceof ValuesRefused)) throw error;
      throw new ParametersRefused(rule, [{ path: "", message: error.message }]);
    }
  }
  const { kind, sha256, size, manifest } = base;
  return { content: { kind, sha256, size, manifest }, values: () => values };
}

async function loadContent(db: Database | Transaction, { kind, sha256 }: NewVersion): Promise<Loaded> {
  const [admitted] = kind === "wasm" ? await readAdmitted(db, [sha256], admissionId()) : [];
  if (admitted) return loadModule(admitted);
  const [content] = await readContents(db, [sha256]);
  return kind === "json" ? loadJson(content!.bytes) : loadModule(admitAgain(content!.bytes));
}

export const lifeOf = ({ state, newestVersion, liveVersion, shadowVersion, reason }: Life): Life => ({
  state,
  newestVersion,
  liveVersion,
  shadowVersion,
  reason,
});

export const sameLife = (a: Life, b: Life): boolean => JSON.stringify(lifeOf(a)) === JSON.stringify(lifeOf(b));
