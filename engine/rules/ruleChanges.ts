/**
 * Changes of rules, each within one transaction of the control store: what is in it by then, what becomes of it, the audit log, and
 * whether that is allowed (how many rules run, of all and of an owner; the lists that they name).
 */
import { listProblems } from "../condition/listKinds.ts";
import { writeAudit } from "../control/changes.ts";
import type { Transaction } from "../control/open.ts";
import type { RuleKind, RuleState } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import type { ParameterValues } from "../sandbox/parameters.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { readLists } from "../world/listTables.ts";
import { admissionId } from "./admission.ts";
import type { Prepared } from "./content.ts";
import {
  type Action,
  act,
  baseVersion,
  canAct,
  type Life,
  RUNNING,
  RuleConflict,
  runningVersions,
  type Wish,
} from "./lifecycle.ts";
import { lifeOf, otherValues, type Plan, type PlannedRule, planVersions, sameLife, uploadOf } from "./newVersions.ts";
import { type Quota, quotaIn, readQuotas } from "./owners.ts";
import * as tables from "./ruleTables.ts";

export interface UploadOptions {
  /** Who uploads it, for the audit log. */
  readonly by: string;
  /** Default wasm. */
  readonly kind?: RuleKind;
  /** Default live: at once. */
  readonly state?: Wish;
}

export interface ParameterOptions extends Pick<UploadOptions, "by" | "state"> {
  /** Values that are not given stay as they are; else they are the defaults. */
  readonly merge?: boolean;
}

export interface ChangeOptions {
  /** Who changes it, for the audit log. */
  readonly by: string;
  /** Of disable, quarantine and throttle. */
  readonly reason?: string | undefined;
  /** Of rollback: becomes live again as it was. Of quarantine and throttle: which is to blame; one on trial beside a live one ends alone. */
  readonly version?: number;
}

/** One of several changes at once. */
export interface RuleChange extends Omit<ChangeOptions, "by"> {
  readonly name: string;
  readonly action: Action;
  /** Only if it is in this state by then. */
  readonly from?: RuleState;
}

/** Uploaded in one transaction. */
const CHUNK = { rules: 500, bytes: 4 << 20 };

/** @param limits MAX_CONCURRENT_RULES, and what owners have that have no quota of their own */
export function createRuleChanges({ maxRules, quota }: { readonly maxRules: number; readonly quota: Quota }) {
  /** @returns of each upload its version, and whether it made a difference */
  async function upload(
    tx: Transaction,
    changeNumber: number,
    items: readonly Prepared[],
    { by, state = "live" }: UploadOptions,
  ): Promise<Plan["results"]> {
    const before = await tables.readRules(tx, [...new Set(items.map(({ manifest }) => manifest.name))]);
    await checkLists(
      tx,
      items.map(({ manifest }) => manifest),
    );
    const plan = planVersions(before, items.map(uploadOf), { by, state });
    if (plan.results.some(({ changed }) => changed)) {
      await tables.writeContents(
        tx,
        items.map(({ sha256, bytes }) => ({ sha256, bytes })),
      );
      await tables.writeAdmitted(
        tx,
        items.flatMap(({ sha256, admitted, manifest }) =>
          admitted ? [{ sha256, admission: admissionId(), bytes: admitted, manifest }] : [],
        ),
      );
    }
    await writePlan(tx, changeNumber, before, plan, { by, state, action: "upload" });
    return plan.results;
  }

  async function setParameters(
    tx: Transaction,
    changeNumber: number,
    name: string,
    given: unknown,
    { by, state = "live", merge = false }: ParameterOptions,
  ): Promise<Plan["results"][number]> {
    const before = await tables.readRules(tx, [name]);
    const rule = before.get(name);
    if (!rule) throw noSuchRule(name, "set parameters of");
    const base = rule.versions.get(baseVersion(rule, state))!;
    const wanted = await otherValues(tx, name, base, given, merge);
    const plan = planVersions(before, [wanted], { by, state });
    await writePlan(tx, changeNumber, before, plan, { by, state, action: "parameters" });
    await checkListsOf(tx, name, "set parameters of", plan.rules.get(name)!);
    return plan.results[0]!;
  }

  /** @throws UserError when there is no such rule, RuleConflict */
  async function actOn(
    tx: Transaction,
    changeNumber: number,
    name: string,
    action: Action,
    { by, reason, version }: ChangeOptions,
  ): Promise<void> {
    const rule = (await tables.readRules(tx, [name])).get(name);
    if (!rule) throw noSuchRule(name, action);
    const after = { ...rule, ...act(name, rule, action, { reason, version }) };
    if (sameLife(rule, after)) return;
    await tables.writeRules(tx, [after], changeNumber);
    await writeAudit(tx, [entry(name, by, action, lifeOf(rule), lifeOf(after))]);
    await checkRunning(tx, [{ before: rule, after }], name);
    await checkListsOf(tx, name, action, after);
  }

  /** Those that are in a state for it. @returns names of rules that were changed */
  async function actOnEach(
    tx: Transaction,
    changeNumber: number,
    changes: readonly RuleChange[],
    by: string,
  ): Promise<string[]> {
    const rules = await tables.readRules(tx, [...new Set(changes.map(({ name }) => name))]);
    const changed = new Map<string, Life & { name: string; owner: string }>();
    const entries = changes.flatMap(({ name, action, from, ...options }) => {
      const rule = changed.get(name) ?? rules.get(name);
      if (!rule || (from !== undefined && rule.state !== from) || !canAct(rule, action)) return [];
      const after = { ...rule, ...act(name, rule, action, options) };
      if (sameLife(rule, after)) return [];
      changed.set(name, after);
      return [entry(name, by, action, lifeOf(rule), lifeOf(after))];
    });
    const names = [...changed.keys()];
    for (let at = 0; at < names.length; at += CHUNK.rules) {
      const some = names.slice(at, at + CHUNK.rules).map((name) => changed.get(name)!);
      await tables.writeRules(tx, some, changeNumber);
    }
    for (let at = 0; at < entries.length; at += CHUNK.rules) await writeAudit(tx, entries.slice(at, at + CHUNK.rules));
    const lives = names.map((name) => ({ before: rules.get(name), after: changed.get(name)! }));
    if (names.length > 0) await checkRunning(tx, lives, names[0]!);
    return names;
  }

  async function writePlan(
    tx: Transaction,
    changeNumber: number,
    before: ReadonlyMap<string, PlannedRule>,
    { rules, versions, results }: Plan,
    { by, state, action }: { by: string; state: Wish; action: string },
  ): Promise<void> {
    const names = [...new Set(results.flatMap(({ name, changed }) => (changed ? [name] : [])))];
    if (names.length === 0) return;
    await tables.writeRules(
      tx,
      names.map((name) => rules.get(name)!),
      changeNumber,
    );
    await tables.writeVersions(tx, versions);
    await writeAudit(
      tx,
      names.map((name) => {
        const [from, to] = [before.get(name), rules.get(name)!].map((rule) => rule && withValues(rule, state));
        return entry(name, by, action, from, to!);
      }),
    );
    const lives = names.map((name) => ({ before: before.get(name), after: rules.get(name)! }));
    await checkRunning(tx, lives, names[0]!);
  }

  /** @throws ListsMissing */
  async function checkLists(tx: Transaction, manifests: readonly Manifest[]): Promise<void> {
    const uses = manifests.flatMap((manifest) => manifest.lists ?? []);
    if (uses.length === 0) return;
    const there = new Map((await readLists(tx)).map((row) => [row.name, row]));
    const problems = [...new Set(listProblems(uses, there))];
    if (problems.length > 0) throw new ListsMissing(problems);
  }

  /** Counts only when more would run than before, which most changes do not do. @throws RuleConflict when this makes too many */
  async function checkRunning(tx: Transaction, lives: readonly ChangedLife[], name: string): Promise<void> {
    const more = new Map<string, number>();
    for (const { before, after } of lives)
      more.set(after.owner, (more.get(after.owner) ?? 0) + runs(after) - runs(before));
    if ([...more.values()].every((count) => count <= 0)) return;
    const running = await tables.countRunning(tx);
    const [is, grown] = [running, more].map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0));
    if (is! > maxRules && grown! > 0)
      throw new RuleConflict(
        `Cannot run the rule "${name}": ${is} rules would run, expected at most MAX_CONCURRENT_RULES=${maxRules}`,
        { next: "Disable rules that are not needed, or raise MAX_CONCURRENT_RULES" },
      );
    const quotas = await readQuotas(tx);
    for (const [owner, count] of running) {
      const most = quotaIn(quotas, owner, quota).maxRules;
      if (count <= most || (more.get(owner) ?? 0) <= 0) continue;
      throw new RuleConflict(
        `Cannot run the rule "${name}": ${count} rules of "${owner}" would run, expected at most ${most}`,
        { next: "Disable some of them, or raise WEIR_OWNER_MAX_RULES or the owner's quota" },
      );
    }
  }

  /** A list may have gone while the rule did not run. @throws RuleConflict */
  async function checkListsOf(tx: Transaction, name: string, action: string, after: Life): Promise<void> {
    const runs = runningVersions(after).map(({ version }) => version);
    if (runs.length === 0) return;
    const versions = (await tables.readVersions(tx, name)).filter(({ version }) => runs.includes(version));
    try {
      await checkLists(
        tx,
        versions.map(({ manifest }) => manifest),
      );
    } catch (error) {
      if (!(error instanceof ListsMissing)) throw error;
      throw new RuleConflict(`Cannot ${action} the rule "${name}": ${error.message}`);
    }
  }

  return { upload, setParameters, act: actOn, actEach: actOnEach };
}

interface ChangedLife {
  readonly before: Life | undefined;
  readonly after: Life & { readonly owner: string };
}

const runs = (life: Life | undefined): number => (life && RUNNING.has(life.state) ? 1 : 0);

/** A rule names lists that are not there, or of another kind. */
export class ListsMissing extends UserError {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join(" "));
    this.problems = problems;
  }
}

export const noSuchRule = (name: string, action: string): UserError =>
  new UserError(`Cannot ${action} the rule "${name}": there is no such rule`, { next: "npx weir rule list" });

/** A rule with the values that the version has in whose place a new one would run. */
function withValues(rule: PlannedRule, state: Wish): Life & { parameters?: ParameterValues } {
  const parameters = rule.versions.get(baseVersion(rule, state))?.parameters ?? {};
  return { ...lifeOf(rule), ...(Object.keys(parameters).length > 0 && { parameters }) };
}

export const subjectOf = (name: string): string => `rule ${name}`;

/** Of the audit log. */
const entry = (name: string, who: string, action: string, before: Life | undefined, after: Life) => ({
  who,
  action,
  subject: subjectOf(name),
  before: before ?? null,
  after,
});

/** What is uploaded together. */
export function* chunks(items: readonly Prepared[]): Iterable<Prepared[]> {
  let chunk: Prepared[] = [];
  let bytes = 0;
  for (const item of items) {
    if (chunk.length > 0 && (chunk.length === CHUNK.rules || bytes + item.bytes.length > CHUNK.bytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += item.bytes.length;
  }
  if (chunk.length > 0) yield chunk;
}
