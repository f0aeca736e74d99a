/**
 * The rules: every version that was ever uploaded, which of them run, and rule sets by content hash, in the control store, so
 * that any number of engines and API processes agree. Each keeps what it needs in memory and polls one number.
 *
 *     change ──▶ control store: version, state, audit log, number + 1 (one transaction)
 *     engine ──▶ number? ──▶ what changed since ──▶ contents that it lacks, admitted ──▶ the next range runs with them
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryData } from "../chain/registry/registryData.ts";
import { listProblems } from "../condition/listKinds.ts";
import { nextNumber, readAudit, readNumber } from "../control/changes.ts";
import type { Control, Transaction } from "../control/open.ts";
import type { ListVersion, RuleKind, SetMember, WorldContent } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import type { Finding } from "../sandbox/finding.ts";
import type { ParameterValues } from "../sandbox/parameters.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { type StateFate, stateFate } from "../state/declaration.ts";
import { dropOldBaselines, newestBaselines, putBaselines } from "../world/baselineTables.ts";
import { createListContents } from "../world/listContents.ts";
import { createListStore, type ListStore, NoSuchList } from "../world/lists.ts";
import { dropOldWorlds, keepWorld, readLists } from "../world/listTables.ts";
import { KNOWN_BAD, type Lists, type World, worldId } from "../world/world.ts";
import { createWorlds } from "../world/worlds.ts";
import { admissionId } from "./admission.ts";
import { finding, hashOf, type Prepared, prepare } from "./content.ts";
import { type Action, type Life, runningVersions } from "./lifecycle.ts";
import type { LiveRule } from "./liveRule.ts";
import { lifeOf, otherValues } from "./newVersions.ts";
import { createOwners, type Owners, type Quota, readQuotas } from "./owners.ts";
import {
  type ChangeOptions,
  chunks,
  createRuleChanges,
  ListsMissing,
  noSuchRule,
  type ParameterOptions,
  type RuleChange,
  subjectOf,
  type UploadOptions,
} from "./ruleChanges.ts";
import { createRuleSetParts, type RuleSetPart } from "./ruleSetParts.ts";
import { createRuleSets } from "./ruleSets.ts";
import * as tables from "./ruleTables.ts";

export type { RuleState } from "../control/schema.ts";
export { RuleConflict } from "./lifecycle.ts";
export type { ChangeOptions, ParameterOptions, RuleChange, UploadOptions } from "./ruleChanges.ts";

export interface RuleVersion {
  /** Counts from 1. */
  readonly version: number;
  readonly kind: RuleKind;
  /** Of the content as kept: a module as uploaded, a JSON rule in its canonical form. */
  readonly sha256: string;
  /** Bytes of it. */
  readonly size: number;
  /** What it says of itself, with the defaults of its parameters. */
  readonly manifest: Manifest;
  /** Values of its parameters that are not the defaults. */
  readonly parameters: ParameterValues;
  readonly uploadedBy: string;
  readonly uploadedAt: Date;
}

/** A rule, with the version that runs, or would: the live one, else the one on trial, else the newest. */
export interface RuleInfo extends Life, RuleVersion {
  readonly name: string;
  /** Who uploaded it first. */
  readonly owner: string;
  /** When it came into its state. */
  readonly since: Date;
  readonly updatedAt: Date;
}

export type UploadResult =
  | {
      readonly ok: true;
      readonly rule: RuleInfo;
      /** What the upload is called, whether it runs or not. */
      readonly version: number;
      readonly changed: boolean;
      /** What becomes of the state that the rule had, once this version is the live one; of a rule that declared some. */
      readonly carried?: StateFate;
    }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export interface ParametersSet {
  readonly rule: RuleInfo;
  /** The version that has these values, whether it runs or not. */
  readonly version: number;
  readonly changed: boolean;
}

/** How many rules of an owner there are. */
export interface OwnerCount {
  /** That run, or would if they were not throttled. */
  readonly running: number;
  readonly throttled: number;
}

export interface AuditEntry {
  readonly at: Date;
  readonly who: string;
  readonly action: string;
  /** State and versions; null: the rule was not there. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface Catalogue {
  list(): RuleInfo[];
  get(name: string): RuleInfo | undefined;
  /**
   * Checks a rule's content and makes it the rule's newest version; it must say `name`, too. The newest version again is no new
   * one, but gets the state that is asked for.
   * @throws RuleConflict when one rule too many would run, ControlUnavailable
   */
  upload(name: string, content: Uint8Array, options: UploadOptions): Promise<UploadResult>;
  /**
   * Makes a version of the same content with other values of its parameters, in place of the one that is live, or on trial.
   * @param given values by name; null is the default
   * @throws ParametersRefused, UserError when there is no such rule, RuleConflict, ControlUnavailable
   */
  setParameters(name: string, given: unknown, options: ParameterOptions): Promise<ParametersSet>;
  /** @throws UserError when there is no such rule, RuleConflict when its state does not allow it, ControlUnavailable */
  change(name: string, action: Action, options: ChangeOptions): Promise<RuleInfo>;
  /**
   * Several changes as one. What is not in a state for its change by then is left alone.
   * @returns the names of rules that were changed. @throws ControlUnavailable
   */
  changeEach(changes: readonly RuleChange[], by: string): Promise<readonly string[]>;
  /** What owners may have. */
  readonly owners: Owners;
  /** Of each owner that has rules. */
  countByOwner(): Map<string, OwnerCount>;
  /**
   * Takes every .wasm of a folder under the name its manifest says; those that are refused are returned. A module that a newer
   * version has replaced stays replaced: this is called at every start.
   */
  loadFolder(folder: string): Promise<{ rules: number; refused: { file: string; findings: readonly Finding[] }[] }>;
  /** Newest first. @throws UserError when there is no such rule */
  versions(name: string): Promise<RuleVersion[]>;
  /** What was done to a rule, newest first, at most `limit`. @throws UserError when there is no such rule */
  audit(name: string, limit: number): Promise<AuditEntry[]>;
  /** Id of the set of rules that run now. */
  current(): string;
  /** Id of the world that they run in now: it has the lists that they name. */
  world(): string;
  /** From now on this is what is usual: engines take it over as a world. @param entries of baselineBytes.ts @throws ControlUnavailable */
  putBaselines(entries: Uint8Array, rows: number): Promise<void>;
  /** A world by its id. @throws UserError when it is gone */
  worldOf(id: string): Promise<World>;
  /** The lists that rules name. */
  readonly lists: ListStore;
  /** Rules that run and name a list, in the order of their names. */
  naming(list: string): string[];
  /** What lists these rules name, as they are now. @throws NoSuchList */
  listsFor(rules: readonly Pick<LiveRule, "name" | "manifest">[]): Promise<Lists>;
  /** The rules of a set. @throws UserError when it, or a content of it, is gone */
  snapshot(id: string): Promise<readonly LiveRule[]>;
  /**
   * One version of a rule, whether it runs or not.
   * @param given values by name, in place of those that the version has
   * @throws UserError when there is none, ParametersRefused
   */
  version(name: string, version: number, given?: Readonly<Record<string, unknown>>): Promise<LiveRule>;
  /** Takes over what others have changed. @throws ControlUnavailable: all goes on with what is known */
  refresh(): Promise<void>;
}

export interface CatalogueOptions {
  readonly control: Control;
  /** MAX_CONCURRENT_RULES: live, or on trial alone. */
  readonly maxRules?: number;
  /** Of an owner that has none of its own. Default: as many rules as may run, and no bound on fuel. */
  readonly quota?: Quota;
  /** Of the worlds that engines run in. */
  readonly chains?: readonly number[];
  readonly registry?: RegistryData;
}

const DEFAULT_MAX_RULES = 10_000;
/** A set says that it runs so often; it is removed when it has not for so long. */
const SAY_MS = 3_600_000;
const KEEP_DAYS = 30;

export async function openCatalogue({
  control,
  maxRules = DEFAULT_MAX_RULES,
  quota = { maxRules, fuelPerSecond: Number.POSITIVE_INFINITY },
  chains = [],
  registry = {},
}: CatalogueOptions): Promise<Catalogue> {
  const known = new Map<string, { info: RuleInfo; members: readonly SetMember[]; lists: readonly string[] }>();
  /** How many versions that run name a list: looked at with each question whether anything has changed. */
  const namedBy = new Map<string, number>();
  const running = createRuleSetParts();
  const sets = createRuleSets(control);
  const contents = createListContents();
  const worlds = createWorlds(control, contents, { chains, registry });
  const lists = createListStore(control, contents, (edit, committed) => change(edit, committed));
  const changes = createRuleChanges({ maxRules, quota });
  const owners = createOwners(quota, (edit, committed) => change(edit, committed));
  /** Of the control store, when we read it last. */
  let number = -1;
  let baselines: string | undefined;
  let currentId = "";
  /** Of the set that runs. */
  let currentParts: readonly RuleSetPart[] = [];
  let currentWorld = "";
  let said = 0;
  let working: Promise<unknown> = Promise.resolve();

  const list = (): RuleInfo[] => [...known.values()].map(({ info }) => info).sort(byName);

  function need(name: string, action: string): RuleInfo {
    const rule = known.get(name);
    if (rule) return rule.info;
    throw noSuchRule(name, action);
  }

  /** One at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = working.then(work);
    working = done.catch(() => {});
    return done;
  }

  /** @param changed something has: one question less */
  async function takeOver(changed = false): Promise<void> {
    if (changed || (await control.read(readNumber)) !== number) {
      // of one moment: a rule and the lists that it names
      const now = await control.read((db) =>
        db.transaction(
          async (tx) => ({
            number: await readNumber(tx),
            rules: await tables.readRulesSince(tx, number),
            lists: await readLists(tx),
            baselines: await newestBaselines(tx),
            quotas: await readQuotas(tx),
          }),
          { isolationLevel: "repeatable read", accessMode: "read only" },
        ),
      );
      take(now.rules);
      lists.take(now.lists);
      owners.take(now.quotas);
      baselines = now.baselines?.id;
      number = now.number;
    }
    await takeSet();
  }

  function take(rows: Awaited<ReturnType<typeof tables.readRulesSince>>): void {
    const byRule = new Map<string, { rule: tables.RuleRow; versions: Map<number, tables.VersionRow> }>();
    for (const { rule, version } of rows) {
      const entry = byRule.get(rule.name) ?? { rule, versions: new Map() };
      entry.versions.set(version.version, version);
      byRule.set(rule.name, entry);
    }
    for (const [name, { rule, versions }] of byRule) {
      const shown = versions.get(rule.liveVersion ?? rule.shadowVersion ?? rule.newestVersion)!;
      const { owner, since, updatedAt } = rule;
      const info = { name, owner, since, updatedAt, ...lifeOf(rule), ...versionOf(shown) };
      const members = runningVersions(rule).map(({ version, ...as }) => ({
        name,
        ...{ version, sha256: versions.get(version)!.sha256, ...as },
        ...someValues(versions.get(version)!),
      }));
      const named = members.flatMap(({ version }) => versions.get(version)!.manifest.lists ?? []);
      const uses = named.map((use) => use.name);
      for (const list of uses) namedBy.set(list, (namedBy.get(list) ?? 0) + 1);
      for (const list of known.get(name)?.lists ?? []) namedBy.set(list, namedBy.get(list)! - 1);
      known.set(name, { info, members, lists: uses });
      running.put(name, members);
    }
  }

  /** What runs, and the world it runs in, under their ids: in the store before anything runs with it, and in memory where an engine asks for it. */
  async function takeSet(): Promise<void> {
    const { id, parts, members } = running.current();
    const content = worldContent();
    const world = worldId(content);
    const isTime = Date.now() - said >= SAY_MS;
    if (id === currentId && world === currentWorld && !isTime) return;
    const there = new Set(currentParts);
    const fresh = parts.filter((part) => !there.has(part));
    await control.change(async (tx) => {
      if (world !== currentWorld || isTime) await keepWorld(tx, world, content);
      const isKept = (id === currentId || there.size === 0) && (await tables.touchSet(tx, id));
      if (!isKept) await tables.keepSet(tx, id, parts, fresh);
      if (!isTime) return;
      await dropOldWorlds(tx, KEEP_DAYS);
      await dropOldBaselines(tx);
      await tables.dropOldSets(tx, KEEP_DAYS);
      await tables.dropOldAdmitted(tx, admissionId(), KEEP_DAYS);
    });
    if (isTime) said = Date.now();
    if (id !== currentId && sets.used()) await sets.get(id, members);
    if (world !== currentWorld && worlds.used()) await worlds.get(world, content);
    contents.keep(new Set(content.lists.map((version) => version.list)));
    // both at once: a batch has the rules and the lists of one moment
    currentId = id;
    currentParts = parts;
    currentWorld = world;
  }

  function worldContent(): WorldContent {
    const named = [...namedBy].filter(([, rules]) => rules > 0).map(([list]) => list);
    const versions = [...new Set([KNOWN_BAD, ...named])].sort().map((name) => lists.version(name));
    return {
      ...{ chains, registry, lists: versions.filter((version): version is ListVersion => version !== undefined) },
      ...(baselines !== undefined && { baselines }),
    };
  }

  /**
   * Makes a change on what is in the store by then, alone among all processes.
   * @param only what it changes, if it is but rules: then these are all that has to be read again, unless others have changed something
   */
  const change = <T>(
    edit: (tx: Transaction, number: number) => Promise<T>,
    committed: (result: T) => void = () => {},
    only?: "rules",
  ): Promise<T> =>
    inTurn(async () => {
      const { result, next, rules } = await control.change(async (tx) => {
        const next = await nextNumber(tx);
        const result = await edit(tx, next);
        const isAll = only === "rules" && next === number + 1;
        return { result, next, rules: isAll ? await tables.readRulesSince(tx, number) : undefined };
      });
      committed(result);
      if (rules === undefined) await takeOver(true);
      else {
        take(rules);
        number = next;
        await takeSet();
      }
      return result;
    });

  const changeRules = <T>(edit: (tx: Transaction, number: number) => Promise<T>, committed?: (result: T) => void) =>
    change(edit, committed, "rules");

  /** @returns of each upload its version, and whether it made a difference */
  const uploadAll = (items: readonly Prepared[], options: UploadOptions) =>
    changeRules(
      (tx, changeNumber) => changes.upload(tx, changeNumber, items, options),
      () => items.forEach(sets.accepted),
    );

  const missingLists = ({ lists: uses = [] }: Manifest): Finding[] =>
    listProblems(uses, new Map(lists.list().map((info) => [info.name, info]))).map((problem) => finding(problem));

  const refresh = (): Promise<void> => inTurn(takeOver);
  await refresh();
  return {
    list,
    get: (name) => known.get(name)?.info,
    refresh,
    current: () => currentId,
    world: () => currentWorld,
    putBaselines: (entries, rows) => change((tx) => putBaselines(tx, hashOf(entries).slice(0, 16), entries, rows)),
    worldOf: (id) => worlds.get(id),
    lists,
    naming: (name) => list().flatMap((rule) => (known.get(rule.name)!.lists.includes(name) ? rule.name : [])),
    async listsFor(rules) {
      const uses = rules.flatMap(({ manifest }) => manifest.lists ?? []);
      const there = new Map(lists.list().map((info) => [info.name, info]));
      const [problem] = listProblems(uses, there);
      if (problem !== undefined) throw new NoSuchList(`Cannot run the rule "${rules[0]!.name}": ${problem}`);
      const names = [...new Set(uses.map(({ name }) => name))];
      return new Map(await Promise.all(names.map(async (name) => [name, await lists.table(name)] as const)));
    },
    snapshot: (id) => sets.get(id),
    async version(name, version, given) {
      const { newestVersion } = need(name, "run");
      const found = (await control.read((db) => tables.readVersions(db, name))).find((row) => row.version === version);
      if (found && given) {
        const { values } = await control.read((db) => otherValues(db, name, found, given, true));
        return sets.one({ name, version, sha256: found.sha256, shadow: false, parameters: values(found) });
      }
      if (found) return sets.one({ name, version, sha256: found.sha256, shadow: false, ...someValues(found) });
      throw new UserError(`Cannot run version ${version} of the rule "${name}": expected 1 to ${newestVersion}`);
    },
    async upload(name, content, options) {
      const preparation = await prepare(options.kind ?? "wasm", content, name);
      if (!preparation.ok) return preparation;
      try {
        const before = known.get(name)?.info.manifest.state ?? [];
        const [result] = await uploadAll([preparation.prepared], options);
        const { version, changed } = result!;
        const carried = stateFate(before, preparation.prepared.manifest.state ?? []);
        return { ok: true, rule: need(name, "upload"), version, changed, ...(carried && { carried }) };
      } catch (error) {
        if (error instanceof ListsMissing) return { ok: false, findings: error.problems.map((each) => finding(each)) };
        throw error;
      }
    },
    async setParameters(name, given, { by, state = "live", merge = false }) {
      const result = await changeRules((tx, changeNumber) =>
        changes.setParameters(tx, changeNumber, name, given, { by, state, merge }),
      );
      return { rule: need(name, "set parameters of"), version: result.version, changed: result.changed };
    },
    async change(name, action, options) {
      await changeRules((tx, changeNumber) => changes.act(tx, changeNumber, name, action, options));
      return need(name, action);
    },
    changeEach: (several, by) => changeRules((tx, changeNumber) => changes.actEach(tx, changeNumber, several, by)),
    owners,
    countByOwner() {
      const counts = new Map<string, { running: number; throttled: number }>();
      for (const { info, members } of known.values()) {
        const count = counts.get(info.owner) ?? { running: 0, throttled: 0 };
        counts.set(info.owner, count);
        if (members.length > 0) count.running++;
        if (info.state === "throttled") count.throttled++;
      }
      return counts;
    },
    async loadFolder(from) {
      const names = (await readdir(from).catch(nothingThere)).filter((file) => file.endsWith(".wasm")).sort();
      const files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(from, name)) })));
      const hashes = files.map(({ bytes }) => hashOf(bytes));
      const had = files.length === 0 ? new Set() : await control.read((db) => tables.knownContents(db, hashes));
      const refused: { file: string; findings: readonly Finding[] }[] = [];
      const accepted: Prepared[] = [];
      for (const [i, { name, bytes }] of files.entries()) {
        if (had.has(hashes[i])) continue;
        const preparation = await prepare("wasm", bytes);
        const findings = preparation.ok ? missingLists(preparation.prepared.manifest) : preparation.findings;
        if (preparation.ok && findings.length === 0) accepted.push(preparation.prepared);
        else refused.push({ file: join(from, name), findings });
      }
      for (const chunk of chunks(accepted)) await uploadAll(chunk, { by: "folder" });
      return { rules: files.length - refused.length, refused };
    },
    async versions(name) {
      need(name, "show");
      return (await control.read((db) => tables.readVersions(db, name))).map(versionOf);
    },
    async audit(name, limit) {
      need(name, "show");
      const rows = await control.read((db) => readAudit(db, subjectOf(name), limit));
      return rows.map(({ at, who, action, before, after }) => ({ at, who, action, before, after }));
    },
  };
}

const versionOf = ({
  version,
  kind,
  sha256,
  size,
  manifest,
  parameters,
  uploadedBy,
  uploadedAt,
}: tables.VersionRow): RuleVersion => ({ version, kind, sha256, size, manifest, parameters, uploadedBy, uploadedAt });

/** What makes a set's member that has all its defaults the same as one that has no parameters. */
const someValues = ({ parameters }: tables.NewVersion) => (Object.keys(parameters).length > 0 ? { parameters } : {});

function nothingThere(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

const byName = (a: RuleInfo, b: RuleInfo): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
