/** A rule on transactions of one's choice, as the engine would run it: built, admitted, filtered, in the sandbox; or a condition as JSON. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../../engine/frame/writeFrame.ts";
import { type Loaded, loadJson, loadModule } from "../../engine/rules/content.ts";
import { filterCondition } from "../../engine/rules/filterCondition.ts";
import { parseJsonRuleText } from "../../engine/rules/jsonRule.ts";
import { createRuleIndex } from "../../engine/rules/ruleIndex.ts";
import { admit } from "../../engine/sandbox/admit.ts";
import { RUN_LIMITS } from "../../engine/sandbox/limits.ts";
import { SEVERITIES, type Severity } from "../../engine/sandbox/manifest.ts";
import { checkValues, type ParameterValues } from "../../engine/sandbox/parameters.ts";
import type { Manifest } from "../../engine/sandbox/parseManifest.ts";
import { createRule } from "../../engine/sandbox/rule.ts";
import { KIND } from "../../engine/sandbox/ruleRun.ts";
import { createLocalState } from "../../engine/state/localState.ts";
import { eventTime } from "../../engine/worker/decode.ts";
import { createFactStage, wantsFacts } from "../../engine/worker/withFacts.ts";
import { type GivenLists, makeLists } from "../../engine/world/givenLists.ts";
import { NO_LISTS, tablesOf } from "../../engine/world/world.ts";
import { cachedBuild } from "./cachedBuild.ts";
import { formatDiagnostic } from "./diagnostics.ts";

/** What a rule made of one transaction. */
export interface Verdict {
  /** did the filter let it through to the rule? */
  candidate: boolean;
  /** `high: 1234.5 from 0x… to 0x…`, in order */
  readonly alerts: string[];
  readonly tags: string[];
  readonly scores: number[];
  /** why the rule failed on it; null if it did not */
  failure: string | null;
}

export interface TriedRule {
  /** Empty for a JSON rule. */
  readonly wasm: Uint8Array;
  readonly manifest: Manifest;
  /**
   * One verdict a transaction, in order, and the fuel that all of them took.
   * @param lists that the rule names, as text with an entry a line; what is left out is empty
   */
  run(
    transactions: readonly TransactionRecord[],
    lists?: GivenLists,
  ): { readonly verdicts: Verdict[]; readonly fuel: number };
  /**
   * The same rule with other values of its parameters: `rule.with({ threshold: "5" })`. What is left out has its default.
   * @throws {Error} that says what was expected
   */
  with(values: Readonly<Record<string, unknown>>): TriedRule;
}

/**
 * Builds the rule in this file, or takes what the `build` folder beside it has kept, and admits it. A .json is a JSON rule.
 * @throws {Error} with all mistakes, formatted for a terminal
 */
export async function tryRule(rule: string | URL): Promise<TriedRule> {
  const file = rule instanceof URL ? fileURLToPath(rule) : rule;
  if (file.endsWith(".json")) return tryJson(readFileSync(file));
  const { wasm, diagnostics } = await cachedBuild(file, join(dirname(file), "build"));
  if (!wasm) throw new Error(`Cannot build "${file}":\n\n${diagnostics.map(formatDiagnostic).join("\n\n")}`);
  return tryModule(wasm);
}

/** The same for a module that is there already. */
export function tryModule(wasm: Uint8Array): TriedRule {
  const admission = admit(wasm);
  if (!admission.ok) {
    throw new Error(`Cannot admit the module:\n${admission.findings.map(({ message }) => `  ${message}`).join("\n")}`);
  }
  return tryLoaded(wasm, loadModule({ bytes: admission.module, manifest: admission.manifest }), {});
}

/** The same for a JSON rule's text. */
export function tryJson(text: Uint8Array): TriedRule {
  const parsed = parseJsonRuleText(Buffer.from(text).toString("utf8"));
  if (parsed.ok) return tryLoaded(new Uint8Array(0), loadJson(Buffer.from(parsed.rule.text)), {});
  throw new Error(
    `Cannot take the rule:\n${parsed.problems.map(({ path, message }) => `  ${path || "rule"}: ${message}`).join("\n")}`,
  );
}

function tryLoaded(wasm: Uint8Array, loaded: Loaded, values: ParameterValues): TriedRule {
  const { manifest, module, condition, ...content } = loaded.with(values);
  const rule = module && createRule(module, RUN_LIMITS, content);
  const find = createFactStage(builtInRegistry, NO_LISTS);
  const asksFacts = wantsFacts({ manifest, ...(condition && { condition }) });
  const index = createRuleIndex([condition ?? filterCondition(manifest.filter)]);
  return {
    wasm,
    manifest,
    with(given) {
      const checked = checkValues(loaded.manifest.parameters, given);
      if (checked.ok) return tryLoaded(wasm, loaded, checked.values);
      const problems = checked.problems.map(({ path, message }) => `${path}: ${message}`);
      throw new Error(`Cannot set parameters of the rule: ${problems.join("; ")}`);
    },
    run(transactions, given = {}) {
      const writer = createFrameWriter();
      for (const transaction of transactions) writeFrame(writer, transaction);
      const verdicts = transactions.map(
        (): Verdict => ({ candidate: false, alerts: [], tags: [], scores: [], failure: null }),
      );
      const batch = { bytes: writer.bytes, words: writer.u32, frames: writer.offsets, count: writer.count };
      const { bytes, words, shown: offsets } = asksFacts ? find(batch) : { ...batch, shown: batch.frames };
      const frames = { bytes, words, offsets, count: batch.count };
      const lists = makeLists(manifest.name, manifest.lists ?? [], given);
      const { transactions: seen, count } = index.select(frames, lists);
      for (const transaction of seen.subarray(0, count)) {
        const verdict = verdicts[transaction]!;
        verdict.candidate = true;
        if (!rule) verdict.alerts.push(`${manifest.severity}: ${manifest.description}`);
      }
      if (!rule) return { verdicts, fuel: 0 };
      const events = Float64Array.from(offsets.subarray(0, frames.count), (at) => eventTime(words, at >> 2, 0));
      const shown = { words, frames: offsets, events };
      const state = createLocalState(manifest.state ?? []).open("", shown); // nothing came before
      const taken = manifest.facts === undefined ? batch.frames : offsets;
      const { matches, failures, fuel } = rule.run({ words, offsets: taken }, seen, count, {
        state,
        lists: tablesOf(manifest.lists ?? [], lists),
      });
      for (const { transaction, kind, severity, text, score } of matches) {
        const verdict = verdicts[transaction]!;
        if (kind === KIND.alert) verdict.alerts.push(`${SEVERITIES[severity] satisfies Severity | undefined}: ${text}`);
        else if (kind === KIND.tag) verdict.tags.push(text);
        else verdict.scores.push(score);
      }
      for (const { transaction, message } of failures) verdicts[transaction]!.failure = message;
      return { verdicts, fuel };
    },
  };
}

/** A transaction that does nothing in particular, for tests: say what it is about. */
export function sampleTransaction(about: Partial<TransactionRecord> = {}): TransactionRecord {
  return {
    chainId: 1,
    hash: `0x${"11".repeat(32)}`,
    from: `0x${"aa".repeat(20)}`,
    to: `0x${"bb".repeat(20)}`,
    nonce: "0x0",
    value: "0x0",
    gas: "0x5208",
    gasPrice: "0x3b9aca00",
    input: "0x",
    ...about,
  };
}

/** The members that a mined transaction has more; `receipt` as far as it matters. */
export function mined(receipt: TransactionRecord["receipt"] = {}): Partial<TransactionRecord> {
  return {
    blockNumber: "0x10",
    blockHash: `0x${"22".repeat(32)}`,
    transactionIndex: "0x0",
    block: { number: "0x10", hash: `0x${"22".repeat(32)}`, timestamp: "0x65000000", transactionCount: 1 },
    receipt: { status: "0x1", gasUsed: "0x5208", effectiveGasPrice: "0x3b9aca00", logs: [], ...receipt },
  };
}
