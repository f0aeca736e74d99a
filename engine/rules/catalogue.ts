/**
 * The rules: every version that was ever uploaded, which of them is live, and snapshots of the live set by content hash.
 * A range of the ledger names its snapshot, so a replay runs the rules that ran then, whatever happened since.
 *
 *     <folder>/rules.json               what there is: versions and states
 *     <folder>/rules.lock               held by the process that changes it
 *     <folder>/modules/<sha256>.wasm    modules as uploaded
 *     <folder>/snapshots/<id>.json      name, version and module of each rule that was live together
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../ops/errors.ts";
import { holdExclusively } from "../ops/exclusive.ts";
import { replaceFile } from "../ops/replaceFile.ts";
import { admit } from "../sandbox/admit.ts";
import type { Finding } from "../sandbox/finding.ts";
import type { Manifest } from "../sandbox/parseManifest.ts";
import { contentId } from "../world/world.ts";

export type RuleState = "live" | "disabled";

export interface RuleInfo {
  readonly name: string;
  /** The newest; counts from 1. */
  readonly version: number;
  readonly state: RuleState;
  /** Of the module as uploaded. */
  readonly sha256: string;
  /** Bytes of the module as uploaded. */
  readonly size: number;
  readonly manifest: Manifest;
  readonly uploadedAt: Date;
}

/** A rule as a worker gets it: a compiled module can be handed to a thread. */
export interface LiveRule {
  readonly name: string;
  readonly version: number;
  readonly manifest: Manifest;
  readonly module: WebAssembly.Module;
}

export type UploadResult = { ok: true; rule: RuleInfo; changed: boolean } | { ok: false; findings: readonly Finding[] };

export interface Catalogue {
  list(): RuleInfo[];
  get(name: string): RuleInfo | undefined;
  /** Admits a module and makes it its rule's newest version; the manifest must say `name`, too. The same module again changes nothing. */
  upload(name: string, wasm: Uint8Array): Promise<UploadResult>;
  /** @throws UserError when there is no such rule */
  setState(name: string, state: RuleState): Promise<RuleInfo>;
  /**
   * Takes every .wasm of a folder under the name its manifest says; those that are refused are returned. A module that a newer
   * version has replaced stays replaced: this is called at every start.
   */
  loadFolder(folder: string): Promise<{ rules: number; refused: { file: string; findings: readonly Finding[] }[] }>;
  /** Id of what is live now. */
  current(): string;
  /** The rules of a snapshot. @throws UserError when it, or a module of it, is gone */
  snapshot(id: string): Promise<readonly LiveRule[]>;
  /** Takes over what another process has changed. */
  refresh(): Promise<void>;
}

interface CatalogueFile {
  /** All versions of each rule, oldest first, with the state of the rule. */
  rules: Record<
    string,
    { state: RuleState; versions: (Omit<RuleInfo, "name" | "state" | "uploadedAt"> & { uploadedAt: string })[] }
  >;
}

interface SnapshotRule {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
}

/** A change takes milliseconds; many processes may start at once. */
const MAX_WAIT_MS = 30_000;

export async function openCatalogue(folder: string): Promise<Catalogue> {
  const paths = {
    rules: join(folder, "rules.json"),
    lock: join(folder, "rules.lock"),
    modules: join(folder, "modules"),
    snapshots: join(folder, "snapshots"),
  };
  await mkdir(paths.modules, { recursive: true });
  await mkdir(paths.snapshots, { recursive: true });

  /** Without a prototype: a rule may be asked for by any name. */
  let file: CatalogueFile = { rules: Object.create(null) };
  /** Which file it was read from: each change makes a new one. */
  let readFrom = "";
  let currentId = "";
  /** Admitting and compiling take milliseconds; snapshots share most of their modules. */
  const compiled = new Map<string, Promise<{ module: WebAssembly.Module; manifest: Manifest }>>();
  let writing: Promise<unknown> = Promise.resolve();

  const info = (name: string): RuleInfo | undefined => {
    const rule = file.rules[name];
    if (!rule) return undefined;
    const newest = rule.versions.at(-1)!;
    return { name, state: rule.state, ...newest, uploadedAt: new Date(newest.uploadedAt) };
  };
  const infos = (): RuleInfo[] =>
    Object.keys(file.rules)
      .sort()
      .map((name) => info(name)!);

  async function takeOver(): Promise<void> {
    const now = await versionOf(paths.rules);
    if (now !== readFrom) {
      file = await readCatalogueFile(paths.rules);
      readFrom = now;
    }
    await takeSnapshot();
  }

  /** The live set under its id, in a file before anything runs with it. */
  async function takeSnapshot(): Promise<void> {
    const rules: SnapshotRule[] = infos()
      .filter(({ state }) => state === "live")
      .map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    const id = contentId(rules);
    if (id === currentId) return;
    await replaceFile(join(paths.snapshots, `${id}.json`), JSON.stringify(rules));
    currentId = id;
  }

  /** One at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = writing.then(work);
    writing = done.catch(() => {});
    return done;
  }

  /** Makes a change on what is in the file by then, alone among all processes; it has happened once it is in the file. */
  const change = <T>(edit: () => Promise<T> | T): Promise<T> =>
    inTurn(async () => {
      const release = await holdExclusively(paths.lock, "change the rules", { waitMs: MAX_WAIT_MS });
      try {
        file = await readCatalogueFile(paths.rules);
        const before = JSON.stringify(file, null, 1);
        const result = await edit();
        const after = JSON.stringify(file, null, 1);
        if (after !== before) await replaceFile(paths.rules, after);
        readFrom = await versionOf(paths.rules);
        await takeSnapshot();
        return result;
      } catch (error) {
        file = await readCatalogueFile(paths.rules);
        throw error;
      } finally {
        release();
      }
    });

  /** @param again whether a version that was replaced since becomes the newest again: wanted of an upload, not of a folder at start */
  async function upload(wasm: Uint8Array, again: boolean, wanted?: string): Promise<UploadResult> {
    const admitted = admit(wasm);
    if (!admitted.ok) return admitted;
    const { name } = admitted.manifest;
    if (wanted !== undefined && wanted !== name) return { ok: false, findings: [otherName(wanted, name)] };
    const sha256 = createHash("sha256").update(wasm).digest("hex");
    return change(async () => {
      const known = info(name);
      const had = !again && file.rules[name]?.versions.some((version) => version.sha256 === sha256);
      if (known && (had || known.sha256 === sha256)) return { ok: true as const, rule: known, changed: false };
      await replaceFile(join(paths.modules, `${sha256}.wasm`), wasm);
      const rule = (file.rules[name] ??= { state: "live", versions: [] });
      const version = (rule.versions.at(-1)?.version ?? 0) + 1;
      rule.versions.push({
        version,
        sha256,
        size: wasm.length,
        manifest: admitted.manifest,
        uploadedAt: new Date().toISOString(),
      });
      return { ok: true as const, rule: info(name)!, changed: true };
    });
  }

  function load(sha256: string): Promise<{ module: WebAssembly.Module; manifest: Manifest }> {
    let loading = compiled.get(sha256);
    if (!loading) {
      loading = readFile(join(paths.modules, `${sha256}.wasm`)).then((wasm) => {
        const admitted = admit(wasm);
        if (!admitted.ok)
          throw new Error(
            `Cannot run the module ${sha256}: it was admitted once and is refused now: ${admitted.findings[0]?.message}`,
          );
        return {
          module: new WebAssembly.Module(admitted.module),
          manifest: admitted.manifest,
        };
      });
      loading.catch(() => compiled.delete(sha256));
      compiled.set(sha256, loading);
    }
    return loading;
  }

  const refresh = (): Promise<void> => inTurn(takeOver);
  await refresh();
  return {
    list: infos,
    get: info,
    upload: (name, wasm) => upload(wasm, true, name),
    refresh,
    current: () => currentId,
    setState: (name, state) =>
      change(() => {
        const rule = file.rules[name];
        if (!rule)
          throw new UserError(`Cannot set the state of the rule "${name}": there is no such rule`, {
            next: "npx weir rule list",
          });
        rule.state = state;
        return info(name)!;
      }),
    async loadFolder(from) {
      const files = (await readdir(from).catch(nothingThere)).filter((entry) => entry.endsWith(".wasm")).sort();
      const refused: { file: string; findings: readonly Finding[] }[] = [];
      for (const entry of files) {
        const result = await upload(await readFile(join(from, entry)), false);
        if (!result.ok) refused.push({ file: join(from, entry), findings: result.findings });
      }
      return { rules: files.length - refused.length, refused };
    },
    async snapshot(id) {
      let rules: SnapshotRule[];
      try {
        rules = JSON.parse(await readFile(join(paths.snapshots, `${id}.json`), "utf8")) as SnapshotRule[];
      } catch (error) {
        throw new UserError(`Cannot run the rule set "${id}": ${(error as Error).message}`, {
          next: `The ledger needs it to finish what it began: bring back ${paths.snapshots}`,
        });
      }
      return Promise.all(rules.map(async ({ name, version, sha256 }) => ({ name, version, ...(await load(sha256)) })));
    },
  };
}

function nothingThere(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

/** Differs for any two files that stood there one after the other; "" while there is none. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

async function readCatalogueFile(path: string): Promise<CatalogueFile> {
  let rules: CatalogueFile["rules"];
  try {
    rules = (JSON.parse(await readFile(path, "utf8")) as CatalogueFile).rules;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new UserError(`Cannot read the rules "${path}": ${(error as Error).message}`, {
        next: "Bring back the file as it was, or move it away and upload the rules again",
      });
    rules = {};
  }
  return { rules: Object.assign(Object.create(null), rules) };
}

function otherName(wanted: string, actual: string): Finding {
  const message = `Cannot upload the rule "${wanted}": its manifest says "${actual}", expected the same name`;
  return { code: "manifest", message, section: null, function: null, offset: null, limit: null, actual };
}
