/**
 * The tables' columns as the engine writes them, a file a table. The columns' meaning, codecs and comments are in `migrations/`; a
 * test holds the two against each other.
 */
import { ALERT_COLUMNS } from "./tables/alerts.ts";
import { DEAD_LETTER_COLUMNS } from "./tables/deadLetters.ts";
import { FINDING_PARTS, type FindingTable } from "./tables/findings.ts";
import { RULE_STATE_COLUMNS } from "./tables/ruleState.ts";
import { RULE_STAT_COLUMNS } from "./tables/ruleStats.ts";
import { TRANSACTION_COLUMNS } from "./tables/transactions.ts";
import { TRANSFER_COLUMNS } from "./tables/transfers.ts";

/** Columns of each table in the order its blocks have them. */
export const COLUMNS = {
  transactions: TRANSACTION_COLUMNS.map(({ name, type }) => [name, type] as const),
  transfers: TRANSFER_COLUMNS.map(({ name, type }) => [name, type] as const),
  alerts: ALERT_COLUMNS,
  dead_letters: DEAD_LETTER_COLUMNS,
  rule_stats: RULE_STAT_COLUMNS,
  rule_state: RULE_STATE_COLUMNS,
  ...findingColumns(),
} satisfies Record<string, readonly (readonly [string, string])[]>;

function findingColumns(): Record<FindingTable, (readonly [string, string])[]> {
  const columns = Object.entries(FINDING_PARTS).map(([table, parts]) => [table, parts.flat()]);
  return Object.fromEntries(columns) as ReturnType<typeof findingColumns>;
}
