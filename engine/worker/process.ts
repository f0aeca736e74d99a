/**
 * The pure function at the heart of the engine: (batch, rules, world) in, outcome out. No clock, no network, no randomness:
 * the same input gives the same bytes on any thread, so a batch may run again whenever something went wrong.
 *
 *     records ──decode──▶ frames ──detect──▶ findings, risk ──rules──▶ matches ──▶ rows and topic records
 *        └── dead letters                                    └── failures ──▶ dead letters
 */
import type { Block } from "../../clickhouse/native.ts";
import { encodeAlerts } from "../../clickhouse/tables/alerts.ts";
import { type DeadLetterRow, encodeDeadLetters } from "../../clickhouse/tables/deadLetters.ts";
import { transactionRows } from "../../clickhouse/tables/framedRows.ts";
import { encodeRuleState } from "../../clickhouse/tables/ruleState.ts";
import { encodeRuleStats, type RuleStatRow } from "../../clickhouse/tables/ruleStats.ts";
import { blocksOf } from "../chain/blocks.ts";
import { createRegistry } from "../chain/registry/registry.ts";
import { OFFSET } from "../frame/schema.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import type { Batch } from "../source/batch.ts";
import { baselinesOf, type Lists, listsOf, type World } from "../world/world.ts";
import { alertRecords, alertRows } from "./alerts.ts";
import { decodeLetter, failureLetter, letterRecord } from "./deadLetters.ts";
import { createDecoder, type Decoded } from "./decode.ts";
import { encodeFound } from "./findingRows.ts";
import { type BlockFindings, countFindings, createDetectStage, findingRecords } from "./findings.ts";
import { encodeGasBlocks } from "./gasRows.ts";
import { handoverOf } from "./handover.ts";
import type { Matched, RuleFailure } from "./matches.ts";
import {
  countOpportunities,
  createOpportunityStage,
  type FoundOpportunities,
  NO_OPPORTUNITIES,
} from "./opportunities.ts";
import { encodeOpportunities, opportunityRecords } from "./opportunityRows.ts";
import { type OrderedStage, type StateChanges, type StateTables, stateRows } from "./orderedStage.ts";
import type { Handover, Outcome, TableName } from "./outcome.ts";
import { riskMetricsRecords } from "./riskMetrics.ts";
import { createRiskStage } from "./risks.ts";
import { createRuleStage, type RuleStage } from "./ruleStage.ts";
import { packRecords, type TopicRecord } from "./topicRecords.ts";
import { createTransferStage } from "./transfers.ts";
import { withFacts } from "./withFacts.ts";

export type Processor = (batch: Batch) => Outcome;

/** What a batch passes in a worker, in this order. */
export type Stage = "decode" | "detect" | "rules" | "rows" | "records";

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
  const runRules = typeof rules === "function" ? rules : createRuleStage(rules, { leavesOrdered: true });
  const lists = listsOf(world);
  const registry = createRegistry(world.registry);
  const detect = createDetectStage(registry);
  const findOpportunities = createOpportunityStage(registry);
  const judge = createRiskStage(lists, baselinesOf(world));
  const transferRows = createTransferStage(registry);

  return (batch) => {
    const decoded = decode(batch);
    lap("decode");
    const blocks = blocksOf(decoded);
    const found = detect(blocks);
    const risks = judge(decoded, blocks, found);
    const opportunities = findOpportunities(decoded, blocks, found);
    lap("detect");
    const seen = runRules.wantsFacts ? withFacts(decoded, found, risks) : decoded;
    const run = runRules(seen, lists);
    const matched = { ...run, counts: runRules.countsOf(run) };
    lap("rules");
    const refused = decoded.failures.map((failure) => decodeLetter(decoded, batch, failure));
    const metrics = riskMetricsRecords(blocks, found, risks);
    const rest = { refused, found, opportunities, metrics, firstEvent: decoded.events[0] ?? 0, world: world.id };
    const outcome = outcomeOf(decoded, matched, rest, lap);
    const { tags, scores } = matched;
    const transactions = transactionRows({ ...decoded, tags, scores, risks }); // all of both took a fifth of a small batch's time
    const transfers = transferRows(decoded, blocks);
    const gas = encodeGasBlocks(decoded, blocks);
    lap("rows");
    const handover = handoverOf(seen, matched, world.id);
    return {
      ...outcome,
      transactions: decoded.count,
      minutes: minutesOf(decoded),
      tables: {
        ...(transactions.length > 0 && { transactions }),
        ...(transfers.length > 0 && { transfers }),
        ...outcome.tables,
        ...gas,
      },
      ...(handover ? { handover } : {}),
    };
  };
}

/** What the rules of the second stage made of a batch, and what it does to the first one's outcome. */
export interface OrderedOutcome {
  /** Without the transactions. */
  readonly outcome: Outcome;
  /** What was said of transactions, by their number in the batch. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  readonly scores: ReadonlyMap<number, number>;
  readonly changes: StateChanges;
}

/** @param lists those that the rules name */
export type OrderedProcessor = (batch: Batch, handover: Handover, tables: StateTables, lists?: Lists) => OrderedOutcome;

export function createOrderedProcessor(
  rules: readonly LiveRule[],
  stage: OrderedStage,
  lap: (stage: Stage) => void = () => {},
): OrderedProcessor {
  return ({ source, partition, from }, handover, tables, lists) => {
    const { numbers, words } = handover;
    const bytes = new Uint8Array(words.buffer);
    const decoded: Decoded = { ...handover, bytes, source, partition, from, count: numbers.length, failures: [] };
    const { matched, changes } = stage(decoded, handover, tables, lists);
    lap("rules");
    const outcome = outcomeOf(
      decoded,
      matched,
      { refused: [], found: [], opportunities: NO_OPPORTUNITIES, metrics: [], ...handover },
      lap,
    );
    const rows = stateRows(decoded, rules, changes);
    const state = rows.length > 0 ? { rule_state: [encodeRuleState(rows)] } : {};
    lap("rows");
    const byNumber = <T>(marks: ReadonlyMap<number, T>): Map<number, T> =>
      new Map([...marks].map(([transaction, mark]) => [numbers[transaction]!, mark]));
    return {
      outcome: { ...outcome, tables: { ...outcome.tables, ...state } },
      tags: byNumber(matched.tags),
      scores: byNumber(matched.scores),
      changes,
    };
  };
}

interface Rest {
  /** Letters of what could not be decoded. */
  readonly refused: readonly DeadLetterRow[];
  readonly found: readonly BlockFindings[];
  readonly opportunities: FoundOpportunities;
  /** Records of risk-metrics. */
  readonly metrics: readonly TopicRecord[];
  readonly firstEvent: number;
  /** Id of the world. */
  readonly world: string;
}

/** What rules made of a batch, without its transactions. */
function outcomeOf(
  decoded: Decoded,
  matched: Matched,
  { refused, found, opportunities, metrics, firstEvent, world }: Rest,
  lap: (stage: Stage) => void,
): Outcome {
  const alerts = alertRows(decoded, matched.alerts);
  const letters = [
    ...refused,
    ...matched.failures.filter(({ policy }) => policy !== "skip").map((failure) => failureLetter(decoded, failure)),
  ].sort(byPosition);
  const halt = matched.failures.find(({ policy }) => policy === "halt");
  const tables: Partial<Record<TableName, readonly Block[]>> = {
    ...encodeFound(decoded, found),
    ...encodeOpportunities(decoded, opportunities),
  };
  const add = (table: TableName, rows: number, encode: () => Block): void => {
    if (rows > 0) tables[table] = [encode()];
  };
  add("alerts", alerts.count, () => encodeAlerts(alerts));
  add("dead_letters", letters.length, () => encodeDeadLetters(letters));
  add("rule_stats", matched.counts.length, () => encodeRuleStats(statRows(decoded, { firstEvent, world }, matched)));
  lap("rows");
  const records = packRecords([
    ...alertRecords(alerts),
    ...letters.map(letterRecord),
    ...findingRecords(decoded, found),
    ...opportunityRecords(decoded, opportunities),
    ...metrics,
  ]);
  lap("records");
  return {
    transactions: 0,
    minutes: new Map(),
    deadLetters: letters.length,
    deadLetterReasons: countBy(letters, ({ reason }) => reason),
    alerts: alerts.count,
    findings: [...countFindings(found), ...countOpportunities(opportunities)],
    tables,
    records,
    rules: matched.counts,
    ...(halt ? { halt: haltText(decoded, halt) } : {}),
  };
}

/** Of what a version on trial changes in a batch so many hashes are kept of each kind: enough to look at, and 4 KiB. */
const MAX_HASHES = 64;

function statRows(
  decoded: Decoded,
  { firstEvent, world }: Pick<Rest, "firstEvent" | "world">,
  { counts, trialChanges }: Matched,
): RuleStatRow[] {
  const { source, partition, from, bytes, frames } = decoded;
  const hashes = (transactions: readonly number[] = []): Uint8Array[] =>
    transactions.slice(0, MAX_HASHES).map((i) => {
      const at = frames[i]! + OFFSET.hash;
      return bytes.slice(at, at + 32);
    });
  return counts.map(({ rule, version, ...numbers }) => {
    const change = trialChanges.size === 0 ? undefined : trialChanges.get(ruleKey({ name: rule, version }));
    return {
      source,
      partition,
      offset: from,
      event_time: firstEvent,
      world,
      rule,
      rule_version: version,
      ...numbers,
      added_hashes: hashes(change?.added),
      dropped_hashes: hashes(change?.dropped),
    };
  });
}

function minutesOf({ events, count }: Decoded): Map<number, number> {
  const minutes = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const minute = Math.floor(events[i]! / 60e6);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  return minutes;
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
