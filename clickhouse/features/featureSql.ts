import type { FeatureColumn } from "./catalogue.ts";
import type { Series } from "./events.ts";
import { WINDOWS, type Window } from "./feature.ts";
import { ASKED, mined } from "./rows.ts";
import { SERIES } from "./series.ts";

/** How old a value of `@last` may be, in seconds. */
const LAST_AGE = 3_600;

/** Columns of every row beside its features. */
export const POSITION_COLUMNS = [
  "chain_id",
  "block_number",
  "block_timestamp",
  "transaction_index",
  "tx_hash",
  "final",
] as const;

const SUBJECTS = `SELECT assumeNotNull(block_number) AS block, assumeNotNull(transaction_index) AS tx, assumeNotNull(block_timestamp) AS time, hash
FROM (${mined("block_number, transaction_index, block_timestamp, hash", 1)}) WHERE ${ASKED}`;

/** The last block that its chain cannot replace any more; of a chain that nobody follows live, all are final. */
const CONFIRMED =
  "ifNull((SELECT confirmed FROM chain_heads FINAL WHERE chain_id = {chain:UInt64}), 18446744073709551615)";

/**
 * SQL with a row a transaction, in the order of the chain: where it is, whether its block is final, and a column for each feature.
 * Numbers are Nullable(Float64), categories Nullable(String). Its parameters: rows.ts.
 */
export function featureSql(columns: readonly FeatureColumn[]): string {
  const used = [...new Set(columns.map(({ feature }) => feature.series))];
  const joins = used.map((name) => {
    const of = columns.filter(({ feature }) => feature.series === name);
    const on = name === "block" ? "block" : "block, tx";
    return `LEFT JOIN (\n${seriesSql(SERIES[name], on, of)}\n) AS series_${name} USING (${on})`;
  });
  return `SELECT {chain:UInt64} AS chain_id, block AS block_number, time AS block_timestamp, tx AS transaction_index,
  concat('0x', lower(hex(hash))) AS tx_hash, block <= ${CONFIRMED} AS final${columns.map(({ name }) => `, ${name}`).join("")}
FROM (${SUBJECTS}) AS subjects
${joins.join("\n")}
ORDER BY block_number, transaction_index`;
}

/**
 * Features of one series. It is read in layers, each a window over the one below:
 *
 *     events     rows by key, in order                k, t, block, ord, subject, …
 *     steps      a look at the event before
 *     c          running sums of the measures up to the event, without it
 *     start      c as it was before the first event of the same second
 *     in_300     `start` of the first event of the window
 *     last_20    columns of the last 20 events
 *
 * So the sum over a window is `c - in_300`, however many events it has: in time that grows with events alone, and exact, since measures
 * are integers: it does not depend on where a query began to read.
 */
function seriesSql(
  { events, steps = {}, measures, derived = {} }: Series,
  on: string,
  columns: readonly FeatureColumn[],
): string {
  const numbers = new Map(Object.keys(measures).map((name, i) => [name, i + 1]));
  const windows = new Set<number>();
  const lasts = new Map<number, Set<string>>();

  const difference = (measure: string, seconds: number): string => {
    windows.add(seconds);
    const i = numbers.get(measure)!;
    return `toFloat64(tupleElement(c, ${i}) - tupleElement(in_${seconds}, ${i}))`;
  };
  const last = (column: string, count: number): string => {
    lasts.set(count, (lasts.get(count) ?? new Set()).add(column));
    return `last_${count}_${column}`;
  };
  const expand = (sql: string, window?: Window): string =>
    sql
      .replace(/@sum\((\w+)(?:, (\w+))?\)/g, (_, measure: string, own?: string) =>
        difference(measure, WINDOWS[(own as Window | undefined) ?? window!]),
      )
      .replace(/@last\((\w+), (\d+)\)/g, (_, column: string, count: string) => last(column, Number(count)))
      .replaceAll("@seconds", () => String(WINDOWS[window!]));

  const features = columns.map(({ name, feature, window }) => `${expand(feature.sql, window)} AS raw_${name}`);
  const results = columns.map(({ name, feature }) =>
    feature.kind === "category"
      ? `CAST(raw_${name} AS Nullable(String)) AS ${name}`
      : `if(isFinite(toFloat64(raw_${name})), CAST(toFloat64(raw_${name}) AS Nullable(Float64)), NULL) AS ${name}`,
  );
  const shared = usedOf(
    derived,
    columns.map(({ feature }) => feature.sql),
  ).map((name) => `${expand(derived[name]!)} AS ${name}`);
  const totals = Object.values(measures).map((sql) => `sum(assumeNotNull(${sql})) OVER all_before`);
  const starts = [...windows].map(
    (seconds) =>
      `nth_value(start, 1) OVER (PARTITION BY k ORDER BY t RANGE BETWEEN ${seconds - 1} PRECEDING AND CURRENT ROW) AS in_${seconds}`,
  );
  const lists = [...lasts].map(
    ([count, of]) =>
      `groupArray((t, ${[...of].join(", ")})) OVER (PARTITION BY k ORDER BY t, block, ord ROWS BETWEEN ${count} PRECEDING AND 1 PRECEDING) AS all_${count}`,
  );
  const young = [...lasts.keys()].map(
    (count) => `arrayFilter(e -> tupleElement(e, 1) + ${LAST_AGE} > t, all_${count}) AS young_${count}`,
  );
  const values = [...lasts].flatMap(([count, of]) =>
    [...of].map((column, i) => `arrayMap(e -> tupleElement(e, ${i + 2}), young_${count}) AS last_${count}_${column}`),
  );

  const stepped = `SELECT ${list(
    "*",
    Object.entries(steps).map(([name, sql]) => `${sql} AS ${name}`),
  )} FROM (${events})
WINDOW one_before AS (PARTITION BY k ORDER BY t, block, ord ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)`;
  const summed = `SELECT *, tuple(${totals.join(", ")}) AS c FROM (${stepped})
WINDOW all_before AS (PARTITION BY k ORDER BY t, block, ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const started = `SELECT *, nth_value(c, 1) OVER (PARTITION BY k, t ORDER BY block, ord) AS start FROM (${summed})`;
  const windowed = `SELECT ${list("*", [...starts, ...lists])} FROM (${started})`;
  // A layer an expression: pasted into each other they would grow beyond all bounds.
  const layers = [young, values, ...shared.map((sql) => [sql]), features].filter(({ length }) => length > 0);
  const whole = layers.reduce(
    (below, sqls) => `SELECT ${list("*", sqls)} FROM (${below})`,
    `SELECT * FROM (${windowed}) WHERE subject`,
  );
  return `SELECT ${list(on, results)} FROM (${whole})`;
}

const list = (first: string, others: readonly string[]): string => [first, ...others].join(",\n  ");

/** Names of the shared expressions that these need, and that those need, in the order of the series. */
function usedOf(derived: Readonly<Record<string, string>>, sqls: readonly string[]): string[] {
  const used = new Set<string>();
  const look = (sql: string): void => {
    for (const [name, expression] of Object.entries(derived)) {
      if (used.has(name) || !new RegExp(`\\b${name}\\b`).test(sql)) continue;
      used.add(name);
      look(expression);
    }
  };
  for (const sql of sqls) look(sql);
  return Object.keys(derived).filter((name) => used.has(name));
}
