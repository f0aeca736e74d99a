/** Blocks from row objects: for tables with few rows (alerts, findings, statistics), not for transactions. Native's layout: native.ts. */
import {
  type Block,
  type BlockWriter,
  createBlockWriter,
  PART,
  partIs,
  raw,
  reserve,
  startBlock,
  startColumn,
  startPart,
  string,
  takeBlock,
  u32,
  u64,
  varuint,
} from "./native.ts";

/** What a row object holds for a column: a FixedString as bytes or `0x…`, times and decimals in the column's last unit. */
export type Value = string | number | bigint | boolean | Uint8Array | null | readonly Value[];

/** The value for a type of ClickHouse. */
export type ValueOf<Type extends string> = Type extends `Nullable(${infer T})`
  ? ValueOf<T> | null
  : Type extends `Array(${infer T})`
    ? readonly ValueOf<T>[]
    : Type extends `FixedString(${string})`
      ? Uint8Array | string
      : Type extends "String"
        ? string | Uint8Array
        : Type extends "UInt128" | "UInt256" | "Int256" | `Decimal(${string})`
          ? bigint
          : Type extends "Bool"
            ? boolean
            : number;

export type Columns = readonly (readonly [name: string, type: string])[];

/** A row object of a table. */
export type RowOf<C extends Columns> = { readonly [Column in C[number] as Column[0]]: ValueOf<Column[1]> };

const rowWriter = createBlockWriter();

/** @throws TypeError for a type that it does not know, RangeError for a value that is too wide */
export function encodeRows<Row extends object>(
  columns: readonly (readonly [name: keyof Row & string, type: string])[],
  rows: readonly Row[],
): Block {
  return encodeJoined(
    [columns],
    rows.map((row) => [row]),
  );
}

/** Of rows that are several objects each, for a part of the columns each: to put 30 members into one object takes longer than to write them. */
export function encodeJoined(parts: readonly Columns[], rows: readonly (readonly object[])[]): Block {
  const out = rowWriter;
  out.at = 0; // of a block that could not be written something may be left
  out.parts = [];
  startBlock(out, parts.flat().length, rows.length);
  for (const [i, columns] of parts.entries()) {
    for (const [name, type] of columns) {
      startColumn(out, name, type);
      writeValues(out, type, rows.map((row) => (row[i] as Record<string, Value>)[name]!)); // biome-ignore format: one call
    }
  }
  return takeBlock(out);
}

/** `startColumn` has begun a part of values. */
function writeValues(out: BlockWriter, type: string, values: readonly Value[]): void {
  const shape = shapeOf(type);
  if ("items" in shape) {
    const arrays = values as readonly (readonly Value[])[];
    partIs(out, PART.ends);
    reserve(out, 8 * arrays.length);
    let end = 0;
    for (const { length } of arrays) u64(out, (end += length));
    startPart(out, PART.values);
    writeValues(out, shape.items, arrays.flat());
    return;
  }
  if (shape.nullable) {
    partIs(out, PART.nulls);
    reserve(out, values.length);
    for (const value of values) out.bytes[out.at++] = value === null ? 1 : 0;
    startPart(out, PART.values);
  }
  for (const value of values) {
    reserve(out, 32);
    shape.write(out, value);
  }
}

/** Of an array, the type of its items. */
type Shape = { readonly items: string } | { readonly nullable: boolean; readonly write: ReturnType<typeof writerOf> };

/** By type, of which tables have a few dozen: to take its name apart costs more than a value. */
const shapes = new Map<string, Shape>();

function shapeOf(type: string): Shape {
  const known = shapes.get(type);
  if (known) return known;
  const [, outer, inner = type] = /^(Array|Nullable)\((.*)\)$/.exec(type) ?? [];
  const shape = outer === "Array" ? { items: inner } : { nullable: outer === "Nullable", write: writerOf(inner) };
  shapes.set(type, shape);
  return shape;
}

/** How a column's values are written. Of null any bytes will do: Native wants them all the same. Room for 32 bytes is there. */
function writerOf(type: string): (out: BlockWriter, value: Value) => void {
  const width = /^FixedString\((\d+)\)$/.exec(type)?.[1];
  if (width !== undefined) return (out, value) => fixedString(out, Number(width), value as Uint8Array | string | null);
  const precision = /^Decimal\((18|38), /.exec(type)?.[1];
  const bits = precision === undefined ? /^U?Int(128|256)$/.exec(type)?.[1] : precision === "18" ? 64 : 128;
  if (bits !== undefined) {
    const isSigned = !type.startsWith("U");
    return (out, value) => bigInteger(out, BigInt((value ?? 0n) as bigint), Number(bits) / 64, isSigned);
  }
  if (type === "String") return (out, value) => text(out, (value ?? "") as string | Uint8Array);
  if (type === "UInt64" || type.startsWith("DateTime64")) return (out, value) => u64(out, Number(value ?? 0));
  if (type === "UInt32" || type === "Int32") return (out, value) => u32(out, Number(value ?? 0));
  if (type === "Float64") return (out, value) => float64(out, Number(value ?? 0));
  if (type === "Bool") return (out, value) => void (out.bytes[out.at++] = value ? 1 : 0);
  if (type === "UInt16")
    return (out, value) => {
      out.bytes[out.at++] = Number(value);
      out.bytes[out.at++] = Number(value) >>> 8;
    };
  throw new TypeError(`Cannot write a value of type "${type}": expected one that writerOf knows`);
}

const ZEROS = new Uint8Array(32);

function fixedString(out: BlockWriter, width: number, value: Uint8Array | string | null): void {
  const length = typeof value === "string" ? value.length / 2 - 1 : (value?.length ?? width);
  if (length !== width) throw new RangeError(`Cannot write FixedString(${width}): the value has ${length} bytes`);
  if (typeof value === "string") digits(out, value);
  else raw(out, value ?? ZEROS, 0, width);
}

/** The bytes of `0x…`: by hand, a third of what it takes to make a Buffer of them first. Room is there. */
function digits(out: BlockWriter, hex: string): void {
  for (let i = 2; i < hex.length; i += 2)
    out.bytes[out.at++] = (digit(hex.charCodeAt(i)) << 4) | digit(hex.charCodeAt(i + 1));
}

const digit = (code: number): number => (code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57);

function bigInteger(out: BlockWriter, value: bigint, words: number, isSigned: boolean): void {
  const bits = 64 * words;
  if (value !== (isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)))
    throw new RangeError(`Cannot write "${value}": expected a number of ${bits} bits`);
  for (let i = 0, rest = value; i < words; i++, rest >>= 64n) wide[i] = rest; // which keeps the lower 64 bits
  raw(out, wideBytes, 0, 8 * words);
}

const wide = new BigUint64Array(4);
const wideBytes = new Uint8Array(wide.buffer);
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

function float64(out: BlockWriter, value: number): void {
  float[0] = value;
  raw(out, floatBytes, 0, 8);
}

function text(out: BlockWriter, value: string | Uint8Array): void {
  if (typeof value === "string") {
    string(out, value);
  } else {
    varuint(out, value.length);
    raw(out, value, 0, value.length);
  }
}
