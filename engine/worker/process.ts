/**
 * The pure function at the heart of the engine: (batch, rules, world) in, outcome out. No clock, no network, no randomness:
 * the same input gives the same bytes on any thread, so a batch may run again whenever something went wrong.
 *
 *     records ──decode──▶ frames ──rules──▶ matches ──▶ rows and topic records
 *        └── dead letters      └── failures ──▶ dead letters
 */
import type { Block } from "../../clickhouse/native.ts";
import {
  type AlertRow,
  type DeadLetterRow,
  encodeAlerts,
  encodeDeadLetters,
  encodeRuleStats,
  encodeTransactions,
  type RuleStatRow,
  type TransactionRows,
} from "../../clickhouse/tables.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import type { Batch } from "../source/batch.ts";
import { listsOf, type World } from "../world/world.ts";
import { alertRecord, alertRow, type RaisedAlert } from "./alerts.ts";
import { decodeLetter, failureLetter, letterRecord } from "./deadLetters.ts";
import { createDecoder, type Decoded } from "./decode.ts";
import type { Outcome, RuleCount, TableName } from "./outcome.ts";
import { createRuleStage, type RuleFailure, type RuleStage } from "./ruleStage.ts";
import { packRecords, type TopicRecord } from "./topicRecords.ts";

export type Processor = (batch: Batch) => Outcome;

/** What a batch passes in a worker, in this order. */
export type Stage = "decode" | "rules" | "rows" | "records";

/**
 * @param rules or their stage, which may be shared: making it costs as much as there are rules, another world costs nothing
 * @param lap told of the end of each stage, for whoever has a clock: there is none in here
 */
export function createProcessor(
  rules: readonly LiveRule[] | RuleStage,
  world: World,
  lap: (stage: Stage) => void = () => {},
): Processor {
  const decode = createDecoder(world);
  const runRules = typeof rules === "function" ? rules : createRuleStage(rules);
  const lists = listsOf(world);

  return (batch) => {
    const decoded = decode(batch);
    lap("decode");
    const matched = runRules(decoded, lists);
    lap("rules");
    const alerts = matched.alerts.map((alert) => alertRow(decoded, alert));
    const letters = [
      ...decoded.failures.map((failure) => decodeLetter(decoded, batch, failure)),
      ...matched.failures.filter(({ policy }) => policy !== "skip").map((failure) => failureLetter(decoded, failure)),
    ].sort(byPosition);
    const halt = matched.failures.find(({ policy }) => policy === "halt");
    const tables = blocks(decoded, { ...matched, alertRows: alerts }, letters, statRows(decoded, matched.counts));
    lap("rows");
    const records = packRecords(topicRecords(alerts, letters));
    lap("records");
    return {
      transactions: decoded.count,
      deadLetters: letters.length,
      deadLetterReasons: countBy(letters, ({ reason }) => reason),
      alerts: alerts.length,
      tables,
      records,
      rules: matched.counts,
      ...(halt ? { halt: haltText(decoded, halt) } : {}),
    };
  };
}

interface Marks {
  readonly alertRows: readonly AlertRow[];
  readonly tags: TransactionRows["tags"];
  readonly scores: TransactionRows["scores"];
}

function blocks(
  decoded: Decoded,
  { alertRows, tags, scores }: Marks,
  letters: readonly DeadLetterRow[],
  stats: readonly RuleStatRow[],
): Outcome["tables"] {
  const tables: Partial<Record<TableName, readonly Block[]>> = {};
  const add = (table: TableName, rows: number, encode: () => readonly Block[]): void => {
    if (rows > 0) tables[table] = encode();
  };
  add("transactions", decoded.count, () => encodeTransactions({ ...decoded, tags, scores }));
  add("alerts", alertRows.length, () => [encodeAlerts(alertRows)]);
  add("dead_letters", letters.length, () => [encodeDeadLetters(letters)]);
  add("rule_stats", stats.length, () => [encodeRuleStats(stats)]);
  return tables;
}

function topicRecords(alerts: readonly RaisedAlert[], letters: readonly DeadLetterRow[]): TopicRecord[] {
  return [...alerts.map(alertRecord), ...letters.map(letterRecord)];
}

function statRows({ source, partition, from, events, count }: Decoded, counts: readonly RuleCount[]): RuleStatRow[] {
  return counts.map(({ rule, version, evaluations, matches, traps, fuel, added, dropped }) => ({
    source,
    partition,
    offset: from,
    event_time: count > 0 ? events[0]! : 0,
    rule,
    rule_version: version,
    evaluations,
    matches,
    traps,
    fuel,
    added,
    dropped,
  }));
}

function haltText({ source, partition, offsets }: Decoded, { rule, transaction, detail }: RuleFailure): string {
  const at = `${source}/${partition} at offset ${offsets[transaction]}`;
  return `Cannot go on at ${at}: the rule "${rule}" failed and its policy is halt: ${detail}. Disable it, or mend it`;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

const byPosition = (a: DeadLetterRow, b: DeadLetterRow): number =>
  a.offset - b.offset || a.n - b.n || (a.rule < b.rule ? -1 : 1);
