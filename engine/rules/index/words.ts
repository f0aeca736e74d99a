/** Where things stand in a frame, in words: what the index reads of every transaction. */
import { HEADER_SIZE, LOG, OFFSET } from "../../frame/schema.ts";

export const WORD = {
  present: OFFSET.present >> 2,
  inputLength: OFFSET.inputLength >> 2,
  accessListLength: OFFSET.accessListLength >> 2,
  logCount: OFFSET.logCount >> 2,
  input: HEADER_SIZE >> 2,
} as const;

/** Within a log. */
export const LOG_WORD = {
  size: LOG.size >> 2,
  dataLength: LOG.dataLength >> 2,
  topicCount: LOG.topicCount >> 2,
  topics: LOG.topics >> 2,
} as const;

/** Word of a frame's first log, should it have any. */
export function firstLog(words: Uint32Array, frame: number): number {
  const input = (words[frame + WORD.inputLength]! + 7) & ~7;
  return frame + WORD.input + ((input + words[frame + WORD.accessListLength]!) >> 2);
}

/** Word of the log behind this one. */
export const nextLog = (words: Uint32Array, log: number): number => log + (words[log + LOG_WORD.size]! >> 2);
