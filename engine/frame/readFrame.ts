import { ACCESS, LOG, MAX_TOPICS, OFFSET, PRESENT } from "./schema.ts";

/**
 * Accessors of a frame: memory plus the offset where the frame begins, no object per transaction. They trust the frame:
 * it comes from decodeJson, or validateFrame has looked at it. Layout: schema.ts.
 */
export interface FrameBytes {
  readonly bytes: Uint8Array;
  /** The same memory in words. */
  readonly u32: Uint32Array;
}

/** Frames in plain bytes, which must begin at a multiple of 4 of their buffer. */
export function frameBytes(bytes: Uint8Array): FrameBytes {
  return { bytes, u32: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) };
}

/** Is the optional field there? `bit`: PRESENT.x */
export function has(frames: FrameBytes, frame: number, bit: number): boolean {
  return (frames.u32[(frame + OFFSET.present) >> 2]! & bit) !== 0;
}

/** Numbers of `at`: a frame's offset plus OFFSET.x, a multiple of 4 */
export function u32At(frames: FrameBytes, at: number): number {
  return frames.u32[at >> 2]!;
}

/** A u64 as a number: exact up to 2^53 (chainId, blockNumber and seenAt always are), else rounded. */
export function u64AsNumber(frames: FrameBytes, at: number): number {
  return frames.u32[(at >> 2) + 1]! * 2 ** 32 + frames.u32[at >> 2]!;
}

/** A u64, u128 or u256 (`width` in bytes), exact. */
export function bigAt(frames: FrameBytes, at: number, width: number): bigint {
  let value = 0n;
  for (let word = (at + width) >> 2; word > at >> 2; ) value = (value << 32n) | BigInt(frames.u32[--word]!);
  return value;
}

/** `0x…` of bytes as they stand: hashes, addresses, topics, data. */
export function hexAt(frames: FrameBytes, at: number, length: number): string {
  const { buffer, byteOffset } = frames.bytes;
  return `0x${Buffer.from(buffer as ArrayBuffer, byteOffset + at, length).toString("hex")}`;
}

/** `0x…` of a quantity, without leading zeros. */
export function quantityAt(frames: FrameBytes, at: number, width: number): string {
  if (width === 1) return `0x${frames.bytes[at]!.toString(16)}`;
  if (width === 4) return `0x${u32At(frames, at).toString(16)}`;
  return `0x${bigAt(frames, at, width).toString(16)}`;
}

export function frameSize(frames: FrameBytes, frame: number): number {
  return u32At(frames, frame + OFFSET.size);
}

export function inputLength(frames: FrameBytes, frame: number): number {
  return u32At(frames, frame + OFFSET.inputLength);
}

export function inputAt(frames: FrameBytes, frame: number): number {
  return frame + (frames.u32[frame >> 2]! >>> 16); // headerSize
}

export function accessListAt(frames: FrameBytes, frame: number): number {
  return inputAt(frames, frame) + ((inputLength(frames, frame) + 7) & ~7);
}

export function logsAt(frames: FrameBytes, frame: number): number {
  return accessListAt(frames, frame) + u32At(frames, frame + OFFSET.accessListLength);
}

export function extraAt(frames: FrameBytes, frame: number): number {
  return logsAt(frames, frame) + u32At(frames, frame + OFFSET.logsLength);
}

/** The members without a field, as JSON text: `"v":"0x1","receipt.root":"0x…"`, often empty. */
export function extraText(frames: FrameBytes, frame: number): string {
  const { buffer, byteOffset } = frames.bytes;
  const length = u32At(frames, frame + OFFSET.extraLength);
  return Buffer.from(buffer as ArrayBuffer, byteOffset + extraAt(frames, frame), length).toString("utf8");
}

/**
 * Logs and access list entries, without allocation:
 *
 *     for (let i = logCount(f, frame), log = logsAt(f, frame); i > 0; i--, log = nextEntry(f, log)) …
 */
export function nextEntry(frames: FrameBytes, entry: number): number {
  return entry + u32At(frames, entry); // size stands first in both
}

export function logCount(frames: FrameBytes, frame: number): number {
  return u32At(frames, frame + OFFSET.logCount);
}

export function logTopicCount(frames: FrameBytes, log: number): number {
  return Math.min(u32At(frames, log + LOG.topicCount), MAX_TOPICS);
}

export function logTopicAt(log: number, topic: number): number {
  return log + LOG.topics + 32 * topic;
}

export function logDataAt(frames: FrameBytes, log: number): number {
  return logTopicAt(log, logTopicCount(frames, log));
}

export function logDataLength(frames: FrameBytes, log: number): number {
  return u32At(frames, log + LOG.dataLength);
}

export function logIndex(frames: FrameBytes, log: number): number {
  return u32At(frames, log + LOG.logIndex);
}

export function accessListCount(frames: FrameBytes, frame: number): number {
  return u32At(frames, frame + OFFSET.accessListCount);
}

export function accessKeyCount(frames: FrameBytes, entry: number): number {
  return u32At(frames, entry + ACCESS.keyCount);
}

export function accessKeyAt(entry: number, key: number): number {
  return entry + ACCESS.keys + 32 * key;
}

/** Mined: it has a block number. */
export function isMined(frames: FrameBytes, frame: number): boolean {
  return has(frames, frame, PRESENT.blockNumber);
}

/** Whether the transaction is not in a block yet. @param frame byte offset */
export const isPending = (words: Uint32Array, frame: number): boolean =>
  (words[(frame + OFFSET.present) >> 2]! & PRESENT.blockNumber) === 0;
