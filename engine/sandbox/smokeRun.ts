/**
 * The last step of admission: a rule is tried on samples, cut in several ways. What it says about a transaction must not depend
 * on the transactions around it: a rule that keeps something in memory from one to the next would raise other alerts whenever
 * batches happen to be cut elsewhere. One that hides its state from the samples is not found here; it only spoils its own alerts.
 */

import type { StateDeclaration } from "../state/declaration.ts";
import { createStateSession, type StateSession } from "../state/session.ts";
import { createStateTable } from "../state/stateTable.ts";
import type { Report } from "./finding.ts";
import type { GuestList, Scene } from "./hostFunctions.ts";
import { instantiate } from "./instance.ts";
import type { RunLimits } from "./limits.ts";
import type { Manifest } from "./parseManifest.ts";
import { createRule, type Rule, SMALLEST_INPUT } from "./rule.ts";
import { KIND } from "./ruleRun.ts";
import { type Samples, sampleFrames } from "./sampleFrames.ts";
import { RuleFault } from "./trap.ts";

/** Each sample so many times over: what counts up to a dozen or so is found. */
const ROUNDS = 10;
/** Trying has no batch to protect, and what the rule may spend on each sample bounds it: a few seconds at the very most. */
const UNBOUNDED = { batchFuel: 2 ** 50, batchResults: 2 ** 20 };

/** Reports why the module cannot be instantiated, or a transaction whose results depend on others. */
export function smokeRun(module: WebAssembly.Module, manifest: Manifest, limits: RunLimits, report: Report): void {
  try {
    instantiate(module, SMALLEST_INPUT, limits);
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    report.add("initialization", error.message, { actual: error.code });
    return;
  }
  // a rule that asks lists is tried with lists that have nothing, and with lists that have everything
  for (const has of manifest.lists ? [false, true] : [false])
    if (report.findings.length === 0) tryCuts(module, manifest, has, limits, report);
}

function tryCuts(
  module: WebAssembly.Module,
  { state = [], lists = [], facts }: Manifest,
  has: boolean,
  limits: RunLimits,
  report: Report,
): void {
  const samples = sampleFrames(facts !== undefined);
  const asked = lists.map(({ bytes }): GuestList => ({ bytes, has: () => has }));
  const rule = createRule(module, { ...limits, ...UNBOUNDED });
  const all = samples.names.map((_, i) => i);
  const small = all.slice(0, -1);
  const verdicts = (indices: readonly number[]) =>
    verdictsOf(rule, samples, indices, { state: forgetful(state, samples, indices), lists: asked });
  const alone = all.map((i) => verdicts([i])[0]!);
  const cuts: readonly (readonly [string, readonly number[]])[] = [
    ["when all samples are one batch", all],
    ["when they come in the opposite order", [...all].reverse()],
    [`when the batch has them ${ROUNDS} times over`, new Array(ROUNDS).fill(small).flat()],
  ];
  for (const [cut, indices] of cuts) {
    const found = verdicts(indices);
    const other = found.findIndex((verdict, at) => verdict !== alone[indices[at]!]);
    if (other < 0) continue;
    const sample = indices[other]!;
    const message = `Cannot admit a rule that carries state across transactions: on ${samples.names[sample]} it reports ${shown(alone[sample]!)} alone, and ${shown(found[other]!)} ${cut}. Keep what a transaction needs within weir_on_tx`;
    report.add("carries_state", message, { actual: shown(found[other]!) });
    return;
  }
}

/** State that begins anew with each transaction: what a rule declares of others is no state that it carries across in secret. */
function forgetful(
  declarations: readonly StateDeclaration[],
  { words, offsets }: Samples,
  indices: readonly number[],
): StateSession {
  const shown = { words, frames: Uint32Array.from(indices, (i) => offsets[i]!), events: NO_TIMES };
  const session = createStateSession(declarations);
  const tables = declarations.map(createStateTable);
  let current = -1;
  return {
    ...session,
    begin(transaction) {
      if (transaction !== current) {
        session.close();
        session.open(tables, shown);
      }
      current = transaction;
      session.begin(transaction);
    },
  };
}

/** Of as many transactions as a cut may have: the year 2023. */
const NO_TIMES = new Float64Array(1_000).fill(1.7e15);

/** What the rule makes of a batch, in words: one text a transaction. */
function verdictsOf(rule: Rule, samples: Samples, indices: readonly number[], scene: Scene): string[] {
  // a transaction is told by its place in the batch, so that a sample may come more than once
  const offsets = Uint32Array.from(indices, (i) => samples.offsets[i]!);
  const places = Uint32Array.from(indices, (_, at) => at);
  const { matches, failures } = rule.run({ words: samples.words, offsets }, places, places.length, scene);
  const said: string[][] = indices.map(() => []);
  for (const { transaction, kind, severity, text, score } of matches) {
    const words = JSON.stringify(text);
    if (kind === KIND.score) said[transaction]!.push(`score ${score}`);
    else said[transaction]!.push(kind === KIND.tag ? `tag ${words}` : `alert ${words} of severity ${severity}`);
  }
  for (const { transaction, code } of failures) said[transaction]!.push(`failure ${code}`);
  return said.map((parts) => parts.join(", ") || "nothing");
}

const shown = (verdict: string): string => (verdict.length > 200 ? `${verdict.slice(0, 200)}…` : verdict);
