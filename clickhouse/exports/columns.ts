/** The columns of a dataset as an export has them: names and order of the table, values that any program can read. */
import { nearest } from "../../engine/ops/config.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { blockStatus, hex } from "../queries/list.ts";
import { quoteName } from "../quote.ts";
import type { CsvColumn } from "./csv/csvRows.ts";
import type { Dataset } from "./datasets.ts";
import type { Shape } from "./formats.ts";
import { hasBlocks, type StoredColumn, type TableShape } from "./storedTable.ts";

/** Columns of type String that hold bytes all the same. */
const BYTES = new Set(["input", "log_data", "pool", "route_pools", "bytes"]);

/** As the API gives it, without 0x. */
const ALERT_ID = "alert_id";

const BLOCK_STATUS: StoredColumn = {
  name: "block_status",
  type: "String",
  comment: "pending; provisional: its chain could still replace the block; confirmed",
};

/** All columns that an export of the table may have, in their order. */
export function exportColumns({ columns }: TableShape): readonly StoredColumn[] {
  return hasBlocks(columns) ? [...columns, BLOCK_STATUS] : columns;
}

/**
 * The columns asked for, in the order in which they are asked for; all when none is.
 * @throws UserError naming what there is not, or is twice
 */
export function chooseColumns(
  dataset: Dataset,
  all: readonly StoredColumn[],
  wanted: readonly string[] | undefined,
): readonly StoredColumn[] {
  if (wanted === undefined) return all;
  const names = all.map(({ name }) => name);
  return wanted.map((name, i) => {
    const column = all.find((each) => each.name === name);
    const cannot = `Cannot export column "${name.slice(0, 100)}" of ${dataset.name}`;
    if (!column) {
      const near = nearest(name, names);
      throw new UserError(`${cannot}: there is no such column, expected some of ${names.join(", ")}`, {
        ...(near === undefined ? {} : { next: `Did you mean ${near}?` }),
      });
    }
    if (wanted.indexOf(name) !== i) throw new UserError(`${cannot}: it is asked for twice, expected each once`);
    return column;
  });
}

/** SQL of a column over the table as `t`, with its name. */
export function expressionOf({ name, type }: StoredColumn, shape: Shape): string {
  const column = quoteName(name);
  if (name === BLOCK_STATUS.name) return `${blockStatus} AS ${column}`;
  if (name === ALERT_ID) return `lower(hex(t.${column})) AS ${column}`;
  return `${asValue(`t.${column}`, type, shape, BYTES.has(name))} AS ${column}`;
}

/** Types whose values become cells of CSV in our thread (csv/csvRows.ts). */
const MADE_INTO_CELLS = /^(U?Int\d+|FixedString\(\d+\)|DateTime(64)?\(.*\)|String|LowCardinality\(String\))$/;

/** SQL of a column over the table as `t`, with its name, for who makes the cells in place of the store; of a type that it does not know the store makes them. */
export function cellOf(column: StoredColumn): CsvColumn & { readonly sql: string } {
  const { name, type } = column;
  const [, inner = type] = /^Nullable\((.*)\)$/.exec(type) ?? [];
  const raw = `t.${quoteName(name)} AS ${quoteName(name)}`;
  const flat = expressionOf(column, "flat");
  if (name === BLOCK_STATUS.name || name === ALERT_ID || type.startsWith("Array("))
    return { name, cell: "value", sql: flat }; // a text
  if (inner === "String" && BYTES.has(name)) return { name, cell: "bytes", sql: raw };
  if (MADE_INTO_CELLS.test(inner)) return { name, cell: "value", sql: raw };
  const alias = ` AS ${quoteName(name)}`;
  return { name, cell: "finished", sql: `formatRowNoNewline('CSV', ${flat.slice(0, -alias.length)})${alias}` };
}

function asValue(value: string, type: string, shape: Shape, isBytes: boolean, depth = 0): string {
  const [, outer, inner] = /^(Nullable|LowCardinality|Array)\((.*)\)$/.exec(type) ?? [];
  if (outer === "Array") {
    const x = `x${depth}`;
    const element = asValue(x, inner!, shape, isBytes, depth + 1);
    const list = element === x ? value : `arrayMap(${x} -> ${element}, ${value})`;
    const isText = shape !== "nested" && depth === 0 && !(shape === "features" && !inner!.startsWith("Array("));
    return isText ? `toJSONString(${list})` : list;
  }
  if (inner !== undefined) return asValue(value, inner, shape, isBytes, depth);
  if (isBytes || type.startsWith("FixedString(")) return hex(value);
  if (/^U?Int(128|256)$/.test(type) || /^(UUID|Enum|IPv|Map|Tuple)/.test(type)) return `toString(${value})`;
  if (shape === "nested" || shape === "flat") return value;
  if (type.startsWith("Decimal")) return `toFloat64(${value})`;
  if (type.startsWith("DateTime64")) return `toUnixTimestamp64Micro(${value})`;
  if (type.startsWith("Date")) return `toUnixTimestamp64Micro(toDateTime64(${value}, 6, 'UTC'))`;
  return value;
}
