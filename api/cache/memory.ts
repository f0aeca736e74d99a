/** Answers in this process's memory: within a number of bytes, those that were asked for longest ago go first. */
import type { Answer, AnswerStore } from "./answer.ts";

/** What an answer takes beside its body: key, headers, the map's own. */
const OVERHEAD = 512;

interface Kept {
  readonly answer: Answer;
  readonly bytes: number;
  /** ms, as `now` */
  readonly until: number;
}

export interface MemoryOptions {
  readonly maxBytes: number;
  readonly now: () => number;
  /** How much there is after a change, and how many had to go for it. */
  readonly onChange: (state: { bytes: number; entries: number; evicted: number }) => void;
}

export function createMemory({ maxBytes, now, onChange }: MemoryOptions): AnswerStore {
  const kept = new Map<string, Kept>(); // in the order of use
  let bytes = 0;

  function remove(key: string): void {
    bytes -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  return {
    async get(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (found.until <= now()) {
        remove(key);
        onChange({ bytes, entries: kept.size, evicted: 0 });
        return undefined;
      }
      kept.delete(key);
      kept.set(key, found);
      return found.answer;
    },
    async put(key, answer, ttlMs) {
      remove(key);
      const size = 2 * key.length + answer.body.length + OVERHEAD; // a key has two bytes a character at most
      let evicted = 0;
      if (size <= maxBytes / 4) {
        kept.set(key, { answer, bytes: size, until: now() + ttlMs });
        bytes += size;
        for (; bytes > maxBytes; evicted++) remove(kept.keys().next().value!);
      }
      onChange({ bytes, entries: kept.size, evicted });
    },
  };
}
