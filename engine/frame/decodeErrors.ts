/**
 * Why a transaction could not be decoded: a closed list, the numbers never change their meaning (they are stored with
 * dead letters by name). The text is what follows `expected`.
 */
export const DECODE_ERRORS = {
  truncated: [1, "more bytes: the text ends in the middle"],
  not_json: [2, "strict JSON (RFC 8259)"],
  not_object: [3, "a JSON object"],
  bad_utf8: [4, "valid UTF-8"],
  bad_escape: [5, 'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX'],
  control_character: [6, "control characters to be escaped"],
  too_deep: [7, "at most 256 levels of nesting"],
  duplicate_key: [8, "each key once in an object"],
  missing_field: [9, "a value"],
  wrong_type: [10, "another type"],
  bad_hex: [11, "hex digits after 0x"],
  hex_odd: [12, "an even number of hex digits"],
  hex_too_long: [13, "fewer hex digits"],
  hex_too_short: [14, "more hex digits"],
  out_of_range: [15, "a value within its range"],
  too_many_topics: [16, "at most 4 topics"],
  inconsistent: [17, "the same value as elsewhere in the transaction"],
  too_large: [18, "at most 4 MiB"],
  empty: [19, "a transaction"],
  no_value: [20, "a record with a value"],
  reserved_key: [21, "no key beginning with block. or receipt."],
  bad_frame: [22, "a well-formed frame of version 1"],
} as const satisfies Record<string, readonly [code: number, expected: string]>;

export type DecodeReason = keyof typeof DECODE_ERRORS;

/** Not an error: the text has an escape where it matters, so it is normalised and read again. */
export const ESCAPED = 0;

export const TRUNCATED = DECODE_ERRORS.truncated[0];
export const NOT_JSON = DECODE_ERRORS.not_json[0];
export const NOT_OBJECT = DECODE_ERRORS.not_object[0];
export const BAD_UTF8 = DECODE_ERRORS.bad_utf8[0];
export const BAD_ESCAPE = DECODE_ERRORS.bad_escape[0];
export const CONTROL_CHARACTER = DECODE_ERRORS.control_character[0];
export const TOO_DEEP = DECODE_ERRORS.too_deep[0];
export const DUPLICATE_KEY = DECODE_ERRORS.duplicate_key[0];
export const MISSING_FIELD = DECODE_ERRORS.missing_field[0];
export const WRONG_TYPE = DECODE_ERRORS.wrong_type[0];
export const BAD_HEX = DECODE_ERRORS.bad_hex[0];
export const HEX_ODD = DECODE_ERRORS.hex_odd[0];
export const HEX_TOO_LONG = DECODE_ERRORS.hex_too_long[0];
export const HEX_TOO_SHORT = DECODE_ERRORS.hex_too_short[0];
export const OUT_OF_RANGE = DECODE_ERRORS.out_of_range[0];
export const TOO_MANY_TOPICS = DECODE_ERRORS.too_many_topics[0];
export const INCONSISTENT = DECODE_ERRORS.inconsistent[0];
export const TOO_LARGE = DECODE_ERRORS.too_large[0];
export const EMPTY = DECODE_ERRORS.empty[0];
export const NO_VALUE = DECODE_ERRORS.no_value[0];
export const RESERVED_KEY = DECODE_ERRORS.reserved_key[0];
export const BAD_FRAME = DECODE_ERRORS.bad_frame[0];

/** Short name of an error code, as stored with the dead letter. */
export function reasonOf(code: number): DecodeReason {
  for (const [reason, [number]] of Object.entries(DECODE_ERRORS)) if (number === code) return reason as DecodeReason;
  throw new Error(`Cannot name decode error "${code}": no such code, expected 1 to 22`);
}

/** The failure that is being reported: one at a time, since decoding stops at the first. */
export const failure = { code: 0, at: 0, field: "", source: new Uint8Array(0) as Uint8Array, start: 0, end: 0 };

/** Notes the failure and gives −1, the position that means "failed". `at`: index into the source. */
export function fail(code: number, at: number, field = ""): number {
  failure.code = code;
  failure.at = at;
  failure.field = field;
  return -1;
}
