/** What a rule version consists of, by its kind: how an upload is checked, and what of it runs. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { RuleKind } from "../control/schema.ts";
import { isUnkeepable } from "../ops/plainJson.ts";
import { readmit } from "../sandbox/admit.ts";
import { admitAside } from "../sandbox/admitAside.ts";
import type { Finding } from "../sandbox/finding.ts";
import { readManifest } from "../sandbox/instance.ts";
import { RUN_LIMITS } from "../sandbox/limits.ts";
import { encodeValues } from "../sandbox/parameterArea.ts";
import type { ParameterValues } from "../sandbox/parameters.ts";
import { type Manifest, parseManifest } from "../sandbox/parseManifest.ts";
import { type MemoryContent, shareCode } from "../sandbox/sharedCode.ts";
import { type JsonRule, parseJsonRuleText } from "./jsonRule.ts";
import type { LiveRule } from "./liveRule.ts";

/** An upload that was accepted. */
export interface Prepared {
  readonly kind: RuleKind;
  /** Of the content. */
  readonly sha256: string;
  /** What is kept: a module as uploaded, a JSON rule in its canonical form. */
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** Of a module: as admission made it. */
  readonly admitted?: Uint8Array;
}

export type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Of a version as it runs, whatever its name and number. */
export type Runnable = Pick<LiveRule, "manifest" | "module"> &
  Partial<Pick<LiveRule, "condition" | "silent" | "message" | keyof MemoryContent>>;

/** A content that was accepted once: what versions of one content share, such as a compiled module. */
export interface Loaded {
  readonly manifest: Manifest;
  /**
   * It, ready to run with these values of its parameters, canonical ones; what is left out has its default.
   * @throws ValuesRefused when the rule cannot be run with them
   */
  with(values: ParameterValues): Runnable;
}

/** They make no condition, the rule's top level aborts with them, or they are too large for the room that it has for them. */
export class ValuesRefused extends Error {}

/** @param name what the upload is to be called, if the uploader says so: its own name must be the same */
export async function prepare(kind: RuleKind, bytes: Uint8Array, name?: string): Promise<Preparation> {
  const prepared = kind === "wasm" ? await prepareModule(bytes) : prepareJson(bytes);
  if (!prepared.ok) return prepared;
  const { manifest } = prepared.prepared;
  if (name !== undefined && name !== manifest.name)
    return refusal(
      `Cannot upload the rule "${name}": its manifest says "${manifest.name}", expected the same name`,
      manifest.name,
    );
  // PostgreSQL has no such texts.
  if (JSON.stringify(manifest, (_, value) => (isText(value) ? value : null)) !== JSON.stringify(manifest))
    return refusal(
      "Cannot keep the manifest: a text in it has U+0000 or half a surrogate pair, expected Unicode without",
    );
  return prepared;
}

const isText = (value: unknown): boolean => typeof value !== "string" || !isUnkeepable(value);

async function prepareModule(bytes: Uint8Array): Promise<Preparation> {
  const admitted = await admitAside(bytes);
  if (!admitted.ok) return admitted;
  return {
    ok: true,
    prepared: { kind: "wasm", sha256: hashOf(bytes), bytes, manifest: admitted.manifest, admitted: admitted.module },
  };
}

function prepareJson(text: Uint8Array): Preparation {
  const parsed = parseJsonRuleText(Buffer.from(text).toString("utf8"));
  if (!parsed.ok)
    return {
      ok: false,
      findings: parsed.problems.map(({ path, message }) => finding(path === "" ? message : `${path}: ${message}`)),
    };
  const bytes = Buffer.from(parsed.rule.text);
  return { ok: true, prepared: { kind: "json", sha256: hashOf(bytes), bytes, manifest: parsed.rule.manifest } };
}

/** A module as admission made it. */
export interface Admitted {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** A JSON rule that was accepted once. @throws Error when this version of ours refuses it */
export function loadJson(text: Uint8Array): Loaded {
  const read = (values: ParameterValues) => parseJsonRuleText(Buffer.from(text).toString("utf8"), values);
  const parsed = read({});
  if (!parsed.ok) throw refusedNow(parsed.problems[0]?.message);
  const runnable = ({ manifest, condition, silent, actions: { message } }: JsonRule): Runnable => ({
    ...{ manifest, condition, silent, module: null },
    ...(message !== undefined && { message }),
  });
  const plain = runnable(parsed.rule);
  return {
    manifest: plain.manifest,
    with(values) {
      if (Object.keys(values).length === 0) return plain;
      const parsed = read(values);
      if (parsed.ok) {
        checkLists(parsed.rule.manifest, plain.manifest);
        return runnable(parsed.rule);
      }
      throw new ValuesRefused(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("; "));
    },
  };
}

/** A module that was accepted once, admitted by this version of ours. @throws Error when it refuses it */
export function admitAgain(bytes: Uint8Array): Admitted {
  const admitted = readmit(bytes);
  if (!admitted.ok) throw refusedNow(admitted.findings[0]?.message);
  return { bytes: admitted.module, manifest: admitted.manifest };
}

export function loadModule({ bytes, manifest }: Admitted): Loaded {
  const code = shareCode(bytes);
  return {
    manifest,
    with(values) {
      if (Object.keys(values).length === 0) return { manifest, ...code };
      const parameters = encodeValues(manifest.parameters, values);
      const runnable = { ...code, parameters };
      return { manifest: manifestWith(runnable, manifest, values), ...runnable };
    },
  };
}

/** What the module says of itself with these values: its filter, above all. */
function manifestWith(
  { module, ...content }: MemoryContent & { readonly module: WebAssembly.Module },
  plain: Manifest,
  values: ParameterValues,
): Manifest {
  const reading = readManifest(module, RUN_LIMITS, content);
  if (!reading.ok) throw new ValuesRefused(reading.fault.message);
  const parsed = parseManifest(reading.json, values);
  if (!parsed.ok) throw new ValuesRefused(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("; "));
  const { name, parameters } = parsed.manifest;
  if (name !== plain.name) throw new ValuesRefused(`the rule is called "${name}" with them, expected "${plain.name}"`);
  if (!isDeepStrictEqual(parameters, plain.parameters))
    throw new ValuesRefused("the rule declares other parameters with them, expected the same with any values");
  // What is kept under a declaration would have no meaning under another.
  if (!isDeepStrictEqual(parsed.manifest.state, plain.state))
    throw new ValuesRefused("the rule declares other state with them, expected the same with any values");
  checkLists(parsed.manifest, plain);
  return parsed.manifest;
}

/** Whoever removes a list must be able to tell who names it, without reading every rule with its values. */
function checkLists({ lists }: Manifest, plain: Manifest): void {
  if (!isDeepStrictEqual(lists, plain.lists))
    throw new ValuesRefused("the rule names other lists with them, expected the same with any values");
}

/** What was accepted right now. */
export const loadPrepared = ({ kind, bytes, admitted, manifest }: Prepared): Loaded =>
  kind === "json" ? loadJson(bytes) : loadModule({ bytes: admitted!, manifest });

const refusedNow = (why: string | undefined): Error =>
  new Error(`it was accepted once and this version of Weir refuses it: ${why}. Disable it, or upload it anew`);

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const refusal = (message: string, actual: string | null = null): Preparation => ({
  ok: false,
  findings: [finding(message, actual)],
});

export function finding(message: string, actual: string | null = null): Finding {
  return { code: "manifest", message, section: null, function: null, offset: null, limit: null, actual };
}
