/**
 * Which blocks a record's transactions belong to, read without decoding it: the main thread looks at every record to see where blocks
 * begin and end (`dispatch/blockEdges.ts`). What it cannot read so counts as no member of a block; the worker reads frames and decides.
 *
 * Found are the first `"transactionCount":`, `"blockHash":` and `"transactionIndex":` of a line. Most records are pending and lack the
 * first of them: `looksLikeBlock` says so beforehand.
 */
import { CONTENT, type Content } from "../frame/content.ts";
import { HEADER_SIZE, OFFSET, PRESENT } from "../frame/schema.ts";

/**
 * Told of each transaction of a block.
 * @param block the first 48 bits of its hash, which tell a few hundred blocks from each other
 * @param index the transaction's place in it
 * @param count how many it has
 */
export type OnMember = (block: number, index: number, count: number) => void;

/**
 * Whether there is anything to peek at: it begins as a frame does, or has the name of a block's count of transactions. The client's added method
 * says the same of what it reads (kafka/native/consumeBatch.h), so the main thread need not touch the values of pending transactions.
 */
export function looksLikeBlock(value: Uint8Array): boolean {
  if (value[0] === 1 && value[1] === 0) return true;
  return Buffer.from(value.buffer, value.byteOffset, value.length).includes(COUNT);
}

const isFrames = (content: Content, bytes: Uint8Array, at: number): boolean =>
  content === CONTENT.frames || (content === CONTENT.unknown && bytes[at] === 1 && bytes[at + 1] === 0);

/** Of a record by itself. */
export function peekBlocks(
  { content, value }: { content: Content; value: Uint8Array | null },
  onMember: OnMember,
): void {
  if (value === null || value.length === 0) return;
  if (isFrames(content, value, 0)) peekFrames(value, onMember);
  else {
    const text = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
    if (content === CONTENT.json) peekLine(text, onMember);
    else peekLines(text, onMember);
  }
}

/** A frame's first bytes are its version, header size and size: see frame/schema.ts. */
function peekFrames(bytes: Uint8Array, onMember: OnMember): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let frame = 0; frame + HEADER_SIZE <= bytes.length; ) {
    const size = view.getUint32(frame + OFFSET.size, true);
    if (size < HEADER_SIZE || size % 8 !== 0) return;
    if ((view.getUint32(frame + OFFSET.present, true) & MEMBER) === MEMBER) {
      const hash = frame + OFFSET.blockHash;
      onMember(
        view.getUint32(hash) * 2 ** 16 + view.getUint16(hash + 4),
        view.getUint32(frame + OFFSET.transactionIndex, true),
        view.getUint32(frame + OFFSET.blockTransactionCount, true),
      );
    }
    frame += size;
  }
}

const MEMBER = (PRESENT.blockHash | PRESENT.transactionIndex | PRESENT.blockTransactionCount) >>> 0;

function peekLines(bytes: Buffer, onMember: OnMember): void {
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, from);
    const to = newline < 0 ? bytes.length : newline;
    peekLine(bytes.subarray(from, to), onMember);
    from = to + 1;
  }
}

function peekLine(line: Buffer, onMember: OnMember): void {
  const count = numberAt(line, valueIn(line, COUNT));
  if (count <= 0) return;
  const block = hashAt(line, valueIn(line, HASH));
  const index = numberAt(line, valueIn(line, INDEX));
  if (block >= 0 && index >= 0 && index < count) onMember(block, index, count);
}

/** Without the quote before them: a search goes by the first byte, and quotes are many. */
const [COUNT, HASH, INDEX] = ["transactionCount", "blockHash", "transactionIndex"].map((name) =>
  Buffer.from(`${name}"`),
) as [Buffer, Buffer, Buffer];

/** Where the value of a key begins, -1 if it is not there. */
function valueIn(line: Buffer, key: Buffer): number {
  const found = line.indexOf(key);
  if (found < 1 || line[found - 1] !== 0x22) return -1;
  const colon = skipSpace(line, found + key.length);
  return line[colon] === 0x3a ? skipSpace(line, colon + 1) : -1;
}

function skipSpace(line: Buffer, p: number): number {
  while (line[p]! <= 0x20) p++;
  return p;
}

/** `12`, or `"0xc"`; -1 for anything else, and for what takes more than 32 bits. */
function numberAt(bytes: Buffer, p: number): number {
  if (p < 0) return -1;
  const quoted = bytes[p] === 0x22;
  if (quoted) {
    if (bytes[p + 1] !== 0x30 || bytes[p + 2] !== 0x78) return -1;
    p += 3;
  }
  const base = quoted ? 16 : 10;
  const first = p;
  let value = 0;
  for (; p < bytes.length; p++) {
    const digit = DIGITS[bytes[p]!]!;
    if (digit >= base) break;
    value = value * base + digit;
    if (value > 0xffff_ffff) return -1;
  }
  return p > first && (!quoted || bytes[p] === 0x22) ? value : -1;
}

/** 48 bits of `"0x…"` with 64 digits. */
function hashAt(bytes: Buffer, p: number): number {
  if (p < 0 || p + 68 > bytes.length || bytes[p] !== 0x22 || bytes[p + 1] !== 0x30 || bytes[p + 2] !== 0x78) return -1;
  let value = 0;
  for (let i = p + 3; i < p + 15; i++) {
    const digit = DIGITS[bytes[i]!]!;
    if (digit > 15) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** By character: what the digit is worth, 255 where it is none. */
const DIGITS = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  DIGITS[digit.toString(16).charCodeAt(0)] = digit;
  DIGITS[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}
