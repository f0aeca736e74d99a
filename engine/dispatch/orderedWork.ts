/**
 * The two stages of a batch. The first runs for many batches at once; what rules with state are to see it hands over, and the second
 * runs for a lane's batches one after the other, each on the state that the one before has left:
 *
 *     batch 1 ──first──▶ ──────second──────▶ outcome          state is here, in memory that worker threads read;
 *     batch 2 ──first──────────▶   waits   ──second──▶ …       a batch's changes are put in when its second stage is done
 *     batch 3 ──first──▶ outcome                              nothing that such rules see: it waits for nobody
 *
 * A lane's state is made when it is first needed: as the store has it below the offset where the lane began. Nothing that is held
 * here has to be saved: with the lane it goes, and whoever has the partition next begins where the ledger says, on the state that
 * is stored below.
 */
import { withMarks } from "../../clickhouse/tables.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import { type StoredState, stateKey } from "../sink/stateLog.ts";
import { shapeOf } from "../state/declaration.ts";
import { applyChange, restoreTable, type StateTable } from "../state/stateTable.ts";
import { orderedRules } from "../worker/orderedRules.ts";
import { stateOwner } from "../worker/orderedStage.ts";
import type { Handover, Outcome, TableName } from "../worker/outcome.ts";
import type { OrderedOutcome } from "../worker/process.ts";
import type { Lane, Task } from "./lane.ts";
import type { Pool } from "./pool.ts";

type BatchTask = Pick<Task, "batch" | "catalogue" | "world">;

export interface OrderedWorkOptions {
  readonly pool: Pick<Pool, "run" | "runSecond">;
  readonly rules: (catalogue: string) => Promise<readonly LiveRule[]>;
  /** State of a lane's partition as it is stored below the offset where the lane began. */
  readonly load: (source: string, lane: Lane) => Promise<StoredState>;
}

interface LaneState {
  /** Resolves when all batches so far have left their changes. */
  done: Promise<void>;
  tables: Promise<(rule: LiveRule) => StateTable[]> | undefined;
}

/** To be called for the batches of a lane in their order. Lanes of one partition never overlap. */
export function createOrderedWork({ pool, rules, load }: OrderedWorkOptions) {
  const lanes = new WeakMap<Lane, LaneState>();

  function stateOf(lane: Lane): LaneState {
    const state = lanes.get(lane) ?? { done: Promise.resolve(), tables: undefined };
    lanes.set(lane, state);
    return state;
  }

  async function second(task: BatchTask, lane: Lane, outcome: Outcome, handover: Handover): Promise<Outcome> {
    const state = stateOf(lane);
    state.tables ??= load(task.batch.source, lane).then(openTables);
    const tablesOf = await state.tables;
    const seen = new Set(handover.rules.map(({ key }) => key));
    const here = [...orderedRules(await rules(task.catalogue))].filter((rule) => seen.has(ruleKey(rule)));
    const tables = new Map(here.map((rule) => [ruleKey(rule), tablesOf(rule)]));
    const ordered = await pool.runSecond(task, { handover, tables });
    for (const [key, changes] of ordered.changes)
      for (const [i, change] of changes.entries()) if (change) applyChange(tables.get(key)![i]!, change);
    return merge(outcome, handover, ordered);
  }

  return (task: BatchTask, lane: Lane): Promise<Outcome> => {
    const state = stateOf(lane);
    const before = state.done;
    const outcome = pool.run(task).then(async (first) => {
      const { handover, ...rest } = first;
      if (handover === undefined || first.halt !== undefined) return rest;
      await before;
      return second(task, lane, rest, handover);
    });
    // Without a value: it would hold the outcomes of all batches so far.
    state.done = Promise.all([before, outcome]).then(() => {});
    state.done.catch(() => {}); // whose outcome it is hears of it
    return outcome;
  };
}

/** What was stored becomes tables when a rule first asks for them. Each owner, name and shape is a table of its own, and stays it. */
function openTables(stored: StoredState): (rule: LiveRule) => StateTable[] {
  const tables = new Map<string, StateTable>();
  return (rule) =>
    (rule.manifest.state ?? []).map((declaration) => {
      const key = stateKey({ ...stateOwner(rule), name: declaration.name, shape: shapeOf(declaration) });
      const table = tables.get(key) ?? restoreTable(declaration, stored.get(key) ?? new Uint32Array(0));
      stored.delete(key);
      tables.set(key, table);
      return table;
    });
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
    tables.transactions = withMarks(tables.transactions, handover, said);
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
    tables,
    records: { count: first.records.count + second.records.count, bytes },
    rules: [...first.rules, ...second.rules],
    ...(second.halt === undefined ? {} : { halt: second.halt }),
  };
}
