import { CELL, CELL_SIZE, KNOWN, SCALE } from "./column";
import { MINUS, pair, QUOTE, ZERO } from "./digits";

/** ISO 8601. Rows are in the order of their blocks: most often it is the time before. */
// @ts-ignore: decorator
@inline
export function time(at: usize, column: usize, ticks: i64): usize {
  if (load<u32>(column, CELL_SIZE) == 0 || ticks != load<i64>(column, KNOWN)) makeTime(column, ticks);
  v128.store(at, v128.load(column, CELL));
  v128.store(at, v128.load(column, CELL + 16), 16);
  return at + load<u32>(column, CELL_SIZE);
}

/** Seconds of the years 0 to 9999; times beyond are told as the nearest of them, with the fraction that they have. */
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

function makeTime(column: usize, ticks: i64): void {
  const scale = load<u32>(column, SCALE);
  let perSecond: i64 = 1;
  for (let i: u32 = 0; i < scale; i++) perSecond *= 10;
  const seconds = floorDiv(ticks, perSecond);
  const known = seconds < FIRST ? FIRST : seconds > LAST ? LAST : seconds;
  const day = floorDiv(known, 86_400);
  const second = <u32>(known - day * 86_400);
  const start = column + CELL;
  store<u8>(start, QUOTE);
  date(start + 1, day);
  store<u8>(start, 0x54, 11); // T
  pair(start + 12, second / 3600);
  store<u8>(start, 0x3a, 14); // :
  pair(start + 15, (second / 60) % 60);
  store<u8>(start, 0x3a, 17);
  pair(start + 18, second % 60);
  let at = start + 20;
  if (scale > 0) {
    store<u8>(at, 0x2e);
    let fraction = <u64>(ticks - seconds * perSecond);
    for (let i: usize = scale; i > 0; i--, fraction /= 10) store<u8>(at + i, ZERO + <u8>(fraction % 10));
    at += scale + 1;
  }
  store<u16>(at, 0x225a); // Z"
  store<i64>(column, ticks, KNOWN);
  store<u32>(column, <u32>(at + 2 - start), CELL_SIZE);
}

/** @param day since 1970 */
function date(at: usize, day: i64): void {
  // Years begin in March here, so that the day that some have more is their last; 146,097 days are 400 years, which are added for the winter before year 0.
  const days = <u32>(day + 719_468 + 146_097);
  const era = days / 146_097;
  const ofEra = days % 146_097;
  const ofYears = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365;
  const ofYear = ofEra - (365 * ofYears + ofYears / 4 - ofYears / 100);
  const march = (5 * ofYear + 2) / 153;
  const month = march < 10 ? march + 3 : march - 9;
  const year = ofYears + era * 400 - 400 + (month < 3 ? 1 : 0);
  pair(at, year / 100);
  pair(at + 2, year % 100);
  store<u8>(at, MINUS, 4);
  pair(at + 5, month);
  store<u8>(at, MINUS, 7);
  pair(at + 8, ofYear - (153 * march + 2) / 5 + 1);
}

// @ts-ignore: decorator
@inline
function floorDiv(a: i64, b: i64): i64 {
  const quotient = a / b;
  return a - quotient * b < 0 ? quotient - 1 : quotient;
}
