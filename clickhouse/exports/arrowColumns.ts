/** Columns of an Arrow stream as ClickHouse sends it, with their buffers as they came: no JavaScript string or number a value. */
import { type Data, DataType, RecordBatchReader, Type } from "apache-arrow";

/** A value's kind, and of lists that of their elements. */
export type Kind = "text" | "integer" | "double";

export interface ArrowColumn {
  readonly name: string;
  readonly kind: Kind;
  /** Of lists: where each row's elements end, with a 0 in front. */
  readonly ends: Int32Array | undefined;
  /** Values, or elements. */
  readonly values: Values;
  /** Of this batch. */
  readonly mayBeNull: boolean;
  isNull(row: number): boolean;
}

export interface Values {
  readonly length: number;
  /** UTF-8 of all texts. */
  readonly bytes: Uint8Array;
  /** Where each text ends, with the first one's beginning in front. */
  readonly ends: Int32Array;
  readonly numbers: { readonly [i: number]: number | bigint };
}

export interface ArrowBatch {
  readonly rows: number;
  readonly columns: readonly ArrowColumn[];
}

/** @throws TypeError for a type that no column of ours has */
export async function* arrowBatches(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ArrowBatch, void, void> {
  const reader = await RecordBatchReader.from(stream);
  for await (const batch of reader) {
    const columns = batch.schema.fields.map(({ name }, i) => columnOf(name, batch.data.children[i]!));
    if (batch.numRows > 0) yield { rows: batch.numRows, columns };
  }
}

/** The same batches. @throws Error when other than `rows` rows come for the file */
export async function* counted(
  path: string,
  rows: number,
  batches: AsyncIterable<ArrowBatch>,
): AsyncGenerator<ArrowBatch, void, void> {
  let came = 0;
  for await (const batch of batches) {
    came += batch.rows;
    yield batch;
  }
  if (came !== rows) throw new Error(`Cannot write "${path}": ${came} rows came, expected ${rows}`);
}

function columnOf(name: string, data: Data): ArrowColumn {
  const isList = DataType.isList(data.type);
  const inner = isList ? data.children[0]! : data;
  const mayBeNull = data.nullCount > 0;
  const { nullBitmap, offset } = data;
  const isNull = mayBeNull
    ? (row: number) => ((nullBitmap[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1) === 0
    : () => false;
  return {
    name,
    kind: kindOf(name, inner),
    ends: isList ? data.valueOffsets : undefined,
    values: valuesOf(inner),
    mayBeNull,
    isNull,
  };
}

function kindOf(name: string, { type }: Data): Kind {
  if (DataType.isUtf8(type)) return "text";
  if (DataType.isInt(type) || DataType.isBool(type)) return "integer";
  if (DataType.isFloat(type)) return "double";
  throw new TypeError(`Cannot write column "${name}" of Arrow's type ${type}: expected text, integers or doubles`);
}

function valuesOf(data: Data): Values {
  const { length } = data;
  if (data.type.typeId === Type.Bool)
    return { ...NONE, length, numbers: Uint8Array.from({ length }, (_, i) => (data.values[i >> 3] >> (i & 7)) & 1) };
  return DataType.isUtf8(data.type)
    ? { ...NONE, length, bytes: data.values, ends: data.valueOffsets }
    : { ...NONE, length, numbers: data.values };
}

const NONE = { bytes: new Uint8Array(), ends: new Int32Array(1), numbers: new Uint8Array() };
