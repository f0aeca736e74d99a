import { LOG } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";

/** Where a log's first topic stands in a list of topics. */
export interface TopicTable {
  /** Index of the log's first topic among the topics, -1 if it is none of them. @param log byte offset */
  find(view: BlockView, log: number): number;
}

const WORDS = 8; // of a topic

/**
 * Hashes the topic's first 32 bits, which for nearly every log leads to an empty slot: a log of no interest costs some nanoseconds.
 * What is found is compared in full.
 *
 * @param topics `0x…`, 32 bytes each, no two alike
 */
export function createTopicTable(topics: readonly string[]): TopicTable {
  const bytes = Buffer.from(topics.map((topic) => topic.slice(2)).join(""), "hex");
  if (bytes.length !== 32 * topics.length) throw new Error(`Cannot index topics "${topics}": expected 32 bytes each`);
  const words = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const bits = Math.max(4, Math.ceil(Math.log2(4 * topics.length))); // at most a quarter full
  const mask = 2 ** bits - 1;
  const slots = new Int32Array(2 ** bits).fill(-1);
  const slotOf = (prefix: number) => Math.imul(prefix, 0x9e3779b1) >>> (32 - bits); // multiplied by 2^32 / golden ratio
  for (let i = 0; i < topics.length; i++) {
    let slot = slotOf(words[WORDS * i]!);
    for (; slots[slot] !== -1; slot = (slot + 1) & mask)
      if (topics[slots[slot]!] === topics[i]) throw new Error(`Cannot index topic "${topics[i]}": it is there twice`);
    slots[slot] = i;
  }
  return {
    find({ u32 }, log) {
      if (u32[(log + LOG.topicCount) >> 2] === 0) return -1;
      const topic = (log + LOG.topics) >> 2;
      for (let slot = slotOf(u32[topic]!); ; slot = (slot + 1) & mask) {
        const i = slots[slot]!;
        if (i < 0 || isEqual(u32, topic, words, WORDS * i)) return i;
      }
    },
  };
}

function isEqual(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  for (let i = 0; i < WORDS; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
