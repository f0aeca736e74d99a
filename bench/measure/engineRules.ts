/** Rules of an engine that is measured: taken from a file once, and one that is changed while it runs. */
import { readFileSync } from "node:fs";
import type { House } from "../../engine/cli/house.ts";
import { nextNumber } from "../../engine/control/changes.ts";
import { prepare } from "../../engine/rules/content.ts";
import { chunks, createRuleChanges } from "../../engine/rules/ruleChanges.ts";
import type { JsonRule } from "../load/ruleMix.ts";

/** Sees every transaction and only counts them. */
const PROBE = "probe";
/** Outcomes in a row that the new version is in: all threads have had their turn. */
const SURE = 32;

/** @param file a rule a line. They are taken together: one by one each would be a rule set of its own. Those of an earlier start stay */
export async function takeRules({ control, catalogue, config }: House, file: string): Promise<void> {
  const known = new Set(catalogue.list().map(({ name }) => name));
  const rules = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => JSON.parse(line) as JsonRule)
    .map(({ id, conditions }) => ({ name: id, conditions }));
  const fresh = [...rules, probe(1)].filter(({ name }) => !known.has(name));
  if (fresh.length === 0) return;
  const prepared = await Promise.all(
    fresh.map(async (rule) => {
      const preparation = await prepare("json", bytesOf(rule), rule.name);
      if (!preparation.ok) throw new Error(`Cannot use the rule "${rule.name}": ${preparation.findings[0]?.message}`);
      return preparation.prepared;
    }),
  );
  const changes = createRuleChanges({ maxRules: config.rules.max, quota: config.rules.quota });
  for (const chunk of chunks(prepared))
    await control.change(async (tx) => changes.upload(tx, await nextNumber(tx), chunk, { by: "bench" }));
  await catalogue.refresh();
}

const bytesOf = (rule: unknown): Buffer => Buffer.from(JSON.stringify(rule));

const probe = (version: number) => ({
  ...{ name: PROBE, description: `version ${version}`, actions: { send_alert: false } },
  conditions: { and: [{ field: "value", operator: "gte", value: "0" }] },
});

/** @returns ms from the upload of that version until the last outcome without it */
export async function changeProbe(
  { catalogue, tap }: Pick<House, "catalogue" | "tap">,
  version: number,
): Promise<number> {
  const began = performance.now();
  let live = 0;
  let sure = 0;
  const seen = new Promise<void>((resolve) => {
    const stop = tap.listenEarly(({ rules }) => {
      const ran = rules.find(({ rule }) => rule === PROBE)?.version;
      if (ran === undefined) return;
      if (ran !== version) sure = 0;
      else if (sure++ === 0) live = performance.now();
      if (sure < SURE) return;
      stop();
      resolve();
    });
  });
  const taken = await catalogue.upload(PROBE, bytesOf(probe(version)), { by: "bench", kind: "json" });
  if (!taken.ok) throw new Error(`Cannot change the rule "${PROBE}": ${taken.findings[0]?.message}`);
  await seen;
  return live - began;
}
