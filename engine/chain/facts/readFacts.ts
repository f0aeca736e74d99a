/** Accessors of facts, in words: memory plus the word where the frame begins. They trust what they read: attachFacts wrote it. */
import { HEADER_SIZE, OFFSET } from "../../frame/schema.ts";
import { FACTS_BIT, PART, partOf, type SectionName } from "./schema.ts";

const WORD = {
  present: OFFSET.present >> 2,
  inputLength: OFFSET.inputLength >> 2,
  accessListLength: OFFSET.accessListLength >> 2,
  logsLength: OFFSET.logsLength >> 2,
  extraLength: OFFSET.extraLength >> 2,
} as const;

/** Word of the facts behind the frame at this word; −1 where there are none. */
export function factsAt(words: Uint32Array, frame: number): number {
  if ((words[frame + WORD.present]! & FACTS_BIT) === 0) return -1;
  const input = (words[frame + WORD.inputLength]! + 7) & ~7;
  const extra = (words[frame + WORD.extraLength]! + 7) & ~7;
  const parts = input + words[frame + WORD.accessListLength]! + words[frame + WORD.logsLength]! + extra;
  return frame + ((HEADER_SIZE + parts) >> 2);
}

/** A section of facts: `entries(words, facts)` of them, the first at word `first(words, facts)`, each `step` words behind the one before. */
export function sectionReader(section: SectionName) {
  const part = partOf(section) >> 2;
  return {
    count: (words: Uint32Array, facts: number): number => words[facts + part + (PART.count >> 2)]!,
    first: (words: Uint32Array, facts: number): number => facts + part + (words[facts + part + (PART.at >> 2)]! >> 2),
    step: (words: Uint32Array, facts: number): number => words[facts + part + (PART.stride >> 2)]! >> 2,
  };
}
