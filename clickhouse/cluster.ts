/**
 * Statements for a cluster of ClickHouse servers, made of those for one: the same migrations, deletes and mutations.
 *
 *     transactions          Distributed: what is read, and inserted into
 *     transactions_local    Replicated…MergeTree on every server: what is changed, deleted from, indexed
 *
 * Rows of a partition of a source are on one shard in all tables, so that a range is there whole or not at all, as the ledger wants it. Of a table that
 * replaces rows, those that replace each other are.
 */
import { quoteName, quoteText } from "./quote.ts";
import { sqlTokens, type Token } from "./sqlTokens.ts";

export interface Cluster {
  /** As in `system.clusters`. */
  readonly name: string;
  readonly database: string;
}

/** Names that a server has of its own, without a table on every server behind them: its running process, and views. */
const UNSPLIT = new Set(["weir_instance", "private_flow", "pool_states"]);

/** Of every request. */
export const CLUSTER_SETTINGS = {
  /** An insert comes back when all shards have it. */
  distributed_foreground_insert: 1,
  /** `x NOT IN (SELECT … FROM replaced_blocks)` is asked once, and its answer sent to the shards. */
  distributed_product_mode: "global",
} as const;

/** What is changed is changed on all replicas when the command comes back. */
export const CLUSTER_COMMAND_SETTINGS = {
  mutations_sync: "2",
  lightweight_deletes_sync: "2",
  alter_sync: "2",
} as const;

/**
 * A statement as a cluster needs it: one or two. What only reads or inserts stays as it is.
 * @throws SyntaxError for a CREATE TABLE whose ENGINE or ORDER BY cannot be found
 */
export function clusterStatements(sql: string, cluster: Cluster): string[] {
  const tokens = [...sqlTokens(sql)];
  const at = nameAt(tokens);
  const name = tokens[at];
  if (name === undefined) return [sql];
  const on = ` ON CLUSTER ${quoteName(cluster.name)}`;
  const everywhere = replaced(sql, [[name.end, name.end, on]]);
  const isSplit = !UNSPLIT.has(name.text);
  const onLocal = (): string => (isSplit ? withWindow(replaced(sql, [[name.start, name.end, `${localOf(name.text)}${on}`]])) : everywhere); // biome-ignore format: one line
  switch (`${upper(tokens[0])} ${upper(tokens[1])}`) {
    case "CREATE DATABASE":
    case "DROP DATABASE":
    case "CREATE VIEW":
      return [everywhere];
    case "CREATE TABLE":
      return isSplit ? createTable(sql, tokens, at, cluster, on) : [everywhere];
    case "CREATE MATERIALIZED":
      return [materializedView(sql, tokens, at, on)];
    case "ALTER TABLE": {
      const columns = columnActions(sql, tokens, at);
      return columns.length === 0 || !isSplit
        ? [onLocal()]
        : [onLocal(), `ALTER TABLE ${quoteName(name.text)}${on} ${columns.join(", ")}`];
    }
    case "DROP TABLE":
      return isSplit ? [everywhere, onLocal()] : [everywhere];
    case "DELETE FROM":
    case "TRUNCATE TABLE":
      return [onLocal()];
    default:
      return [sql];
  }
}

const upper = (token: Token | undefined): string => (token?.kind === "word" ? token.text.toUpperCase() : "");
const localOf = (name: string): string => quoteName(`${name}_local`);

/** Replicas count the blocks that they know with another setting. */
const withWindow = (sql: string): string =>
  sql.replace("non_replicated_deduplication_window", "replicated_deduplication_window");

type Edit = readonly [start: number, end: number, text: string];

function replaced(sql: string, edits: readonly Edit[]): string {
  let at = 0;
  let out = "";
  for (const [start, end, text] of edits.toSorted((a, b) => a[0] - b[0])) {
    out += sql.slice(at, start) + text;
    at = end;
  }
  return out + sql.slice(at);
}

/** Where the name of what a statement makes or changes stands; -1 when it is none of those. */
function nameAt(tokens: readonly Token[]): number {
  let at = ["CREATE", "DROP", "ALTER", "TRUNCATE", "DELETE"].includes(upper(tokens[0])) ? 1 : -1;
  if (at < 0) return at;
  while (["MATERIALIZED", "VIEW", "TABLE", "DATABASE", "FROM", "IF", "NOT", "EXISTS"].includes(upper(tokens[at]))) at++;
  return at;
}

function createTable(sql: string, tokens: readonly Token[], at: number, cluster: Cluster, on: string): string[] {
  const name = tokens[at]!;
  const as = upper(tokens[at + 1]) === "AS";
  const engine = tokens.findIndex((token) => upper(token) === "ENGINE");
  const kind = tokens[engine + 2]; // ENGINE = Kind
  if (as || engine < 0 || !kind?.text.endsWith("MergeTree"))
    throw new SyntaxError(`Cannot make the table "${name.text}" of a cluster: expected columns and an ENGINE of the MergeTree family`); // biome-ignore format: one line
  const table = replaced(sql, [
    [name.start, name.end, `${localOf(name.text)}${on}`],
    [kind.start, kind.start, "Replicated"],
  ]);
  const key = shardingKey(sql, tokens, kind.text);
  const ofCluster = [cluster.name, cluster.database, `${name.text}_local`].map(quoteText).join(", ");
  return [
    withWindow(table),
    `CREATE TABLE IF NOT EXISTS ${quoteName(name.text)}${on} AS ${localOf(name.text)} ENGINE = Distributed(${ofCluster}, ${key})`,
  ];
}

function shardingKey(sql: string, tokens: readonly Token[], kind: string): string {
  const columns = new Set(tokens.filter(({ kind }) => kind === "word" || kind === "name").map(({ text }) => text));
  if (kind !== "ReplacingMergeTree" && columns.has("source") && columns.has("partition"))
    return "cityHash64(source, partition)";
  const order = tokens.findIndex((token, i) => upper(token) === "ORDER" && upper(tokens[i + 1]) === "BY");
  if (order < 0) throw new SyntaxError("Cannot spread a table over a cluster: it has no ORDER BY, expected one");
  const first = tokens[order + 2]!;
  if (first.text !== "(") return `cityHash64(${sql.slice(first.start, first.end)})`;
  let depth = 0;
  const end = tokens.findIndex((token, i) => {
    if (i < order + 2) return false;
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    return depth === 0;
  });
  return `cityHash64${sql.slice(first.start, tokens[end]!.end)}`;
}

/** It sees what is inserted on its own server, and writes there. */
function materializedView(sql: string, tokens: readonly Token[], at: number, on: string): string {
  const edits: Edit[] = [[tokens[at]!.end, tokens[at]!.end, on]];
  for (const [i, token] of tokens.entries())
    if (i > at && ["TO", "FROM"].includes(upper(tokens[i - 1])) && token.text !== "(")
      edits.push([token.start, token.end, localOf(token.text)]);
  return replaced(sql, edits);
}

/** Actions of an ALTER that the Distributed table must know of, too. */
function columnActions(sql: string, tokens: readonly Token[], at: number): string[] {
  const actions: string[] = [];
  let start = at + 1;
  let depth = 0;
  for (let i = at + 1; i <= tokens.length; i++) {
    const token = tokens[i];
    if (token?.text === "(" && token.kind === "sign") depth++;
    if (token?.text === ")" && token.kind === "sign") depth--;
    if (token !== undefined && !(depth === 0 && token.kind === "sign" && token.text === ",")) continue;
    const [first, last] = [tokens[start], tokens[i - 1]];
    if (/^(ADD|DROP|MODIFY|RENAME|COMMENT)$/.test(upper(first)) && upper(tokens[start + 1]) === "COLUMN")
      actions.push(sql.slice(first!.start, last!.end));
    start = i + 1;
  }
  return actions;
}
