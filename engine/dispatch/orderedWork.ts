/**
 * The two stages of a batch. The first runs for many batches at once; what rules with state are to see it hands over, and the second
 * runs for a lane's batches one after the other, each on the state that the one before has left:
 *
 *     batch 1 ──first──▶ ──────second──────▶ outcome          state is here, in memory that worker threads read;
 *     batch 2 ──first──────────▶   waits   ──second──▶ …       a batch's changes are put in when its second stage is done
 *     batch 3 ──first──▶ outcome                              nothing that such rules see: it waits for nobody
 *
 * A lane's state is read when it is first needed (stateMemory.ts): as the store has it below the offset where the lane began. Nothing that
 * is held here has to be saved: with the lane it goes, and whoever has the partition next begins where the ledger says, on the state
 * that is stored below.
 */
import { marked } from "../../clickhouse/tables/framedRows.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import type { StateTable } from "../state/stateTable.ts";
import { orderedRules } from "../worker/orderedRules.ts";
import type { Handover, Outcome, TableName } from "../worker/outcome.ts";
import type { OrderedOutcome } from "../worker/process.ts";
import type { Lane, Task } from "./lane.ts";
import type { Pool } from "./pool.ts";
import type { StateMemory } from "./stateMemory.ts";

type BatchTask = Pick<Task, "batch" | "catalogue" | "world">;

export interface OrderedWorkOptions {
  readonly pool: Pick<Pool, "run" | "runSecond">;
  readonly rules: (catalogue: string) => Promise<readonly LiveRule[]>;
  readonly memory: StateMemory;
}

/** To be called for the batches of a lane in their order. Lanes of one partition never overlap. */
export function createOrderedWork({ pool, rules, memory }: OrderedWorkOptions) {
  /** Of each lane: resolves when all batches so far have left their changes. */
  const done = new WeakMap<Lane, Promise<void>>();
  /** By catalogue: those with state. A set has thousands of others. */
  let latest: { catalogue: string; ordered: ReadonlySet<LiveRule> } | undefined;

  async function orderedOf(catalogue: string): Promise<ReadonlySet<LiveRule>> {
    if (latest?.catalogue !== catalogue) latest = { catalogue, ordered: orderedRules(await rules(catalogue)) };
    return latest.ordered;
  }

  async function second(task: BatchTask, lane: Lane, outcome: Outcome, handover: Handover): Promise<Outcome> {
    const all = await orderedOf(task.catalogue);
    const seen = new Set(handover.rules.map(({ key }) => key));
    const here = new Map([...all].map((rule) => [ruleKey(rule), rule] as const).filter(([key]) => seen.has(key)));
    const tables = new Map<string, readonly StateTable[]>();
    for (const [key, rule] of here) tables.set(key, await memory.tablesOf(task.batch.source, lane, rule, all));
    const ordered = await pool.runSecond(task, { handover, tables });
    for (const [key, changes] of ordered.changes) memory.apply(lane, here.get(key)!, changes, task.batch.to);
    return merge(outcome, handover, ordered);
  }

  return (task: BatchTask, lane: Lane): Promise<Outcome> => {
    const before = done.get(lane) ?? Promise.resolve();
    const outcome = pool.run(task).then(async (first) => {
      const { handover, ...rest } = first;
      if (handover === undefined || first.halt !== undefined) return rest;
      await before;
      return second(task, lane, rest, handover);
    });
    // Without a value: it would hold the outcomes of all batches so far.
    const after = Promise.all([before, outcome]).then(async () => memory.tidy(lane, await orderedOf(task.catalogue)));
    after.catch(() => {}); // whose outcome it is hears of it
    done.set(lane, after);
    return outcome;
  };
}

/** Both stages as one outcome: rows and records of the first, then of the second. */
function merge(first: Outcome, handover: Handover, { outcome: second, ...said }: OrderedOutcome): Outcome {
  const tables: Partial<Record<TableName, Outcome["tables"][TableName]>> = { ...first.tables };
  for (const [table, blocks] of Object.entries(second.tables) as [
    TableName,
    NonNullable<Outcome["tables"][TableName]>,
  ][])
    tables[table] = [...(tables[table] ?? []), ...blocks];
  if (tables.transactions && said.tags.size + said.scores.size > 0)
    tables.transactions = marked(tables.transactions, handover, said);
  const reasons = { ...first.deadLetterReasons };
  for (const [reason, count] of Object.entries(second.deadLetterReasons))
    reasons[reason] = (reasons[reason] ?? 0) + count;
  const bytes = new Uint8Array(first.records.bytes.length + second.records.bytes.length);
  bytes.set(first.records.bytes);
  bytes.set(second.records.bytes, first.records.bytes.length);
  return {
    transactions: first.transactions,
    minutes: first.minutes,
    deadLetters: first.deadLetters + second.deadLetters,
    deadLetterReasons: reasons,
    alerts: first.alerts + second.alerts,
    findings: first.findings,
    tables,
    records: { count: first.records.count + second.records.count, bytes },
    rules: [...first.rules, ...second.rules],
    ...(second.halt === undefined ? {} : { halt: second.halt }),
  };
}
