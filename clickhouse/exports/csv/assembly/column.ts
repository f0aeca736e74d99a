/** What csvRows.ts says of a column: offsets of a description's members, most of them u32. */
export const KIND: usize = 0;
/** Bytes of a value, or of an index into a dictionary; 0 of texts. */
export const WIDTH: usize = 4;
/** Where a byte a row says whether it is null; 0 where none can be. */
export const NULLS: usize = 8;
/** Where values, or indexes, begin. */
export const VALUES: usize = 12;
/** Where the addresses of texts are, of rows or of a dictionary. */
export const TABLE: usize = 16;
export const SIGNED: usize = 20;
/** Digits of a time's fraction. */
export const SCALE: usize = 24;
/** Of an integer or a time the last value (64 bits), and bytes of its cell: 0 where there was none. */
export const CELL_SIZE: usize = 28;
export const KNOWN: usize = 32;
/** The cell of a time; where that of an integer is. */
export const CELL: usize = 40;
export const COLUMN: usize = 72;
