/** Remembers the first transactions that a rule failed on, and shows where in its source that was. */
import { formatPlace, locateTrap } from "../../../rules-as/cli/locateTrap.ts";
import type { Decoded } from "../../worker/decode.ts";
import type { Evaluated } from "./evaluate.ts";

/** Kinds of failure that are shown; the lines of the output have all. */
const SHOWN = 3;
const SIZE_WORD = 1;

export interface FailureNotes {
  note(found: readonly Evaluated[], decoded: Decoded): void;
  /** For stderr: one paragraph a kind of failure, empty when there was none. */
  describe(): Promise<string>;
}

/** @param file the rule; of a module without its source only the message is known */
export function createFailureNotes(file: string): FailureNotes {
  const kinds = new Map<string, { message: string; hash: string; frame: Uint8Array; count: number }>();
  return {
    note(found, { bytes, words, frames }) {
      for (const { transaction, line } of found) {
        if (line.failure === undefined) continue;
        const message = line.message ?? "";
        // numbers and addresses differ from one transaction to the next
        const kind = `${line.failure} ${message.replace(/0x[0-9a-f]+|\d+/g, "#")}`;
        const known = kinds.get(kind);
        if (known) known.count++;
        else if (kinds.size < SHOWN) {
          const start = frames[transaction]!;
          const frame = bytes.slice(start, start + words[(start >> 2) + SIZE_WORD]!);
          kinds.set(kind, { message, hash: line.tx_hash, frame, count: 1 });
        }
      }
    },
    async describe() {
      let text = "";
      for (const { message, hash, frame, count } of kinds.values()) {
        const more = count > 1 ? `, and ${count - 1} more like it` : "";
        text += `failed on ${hash}${more}: ${message}\n`;
        const place = file.endsWith(".ts") ? await locateTrap(file, { message, frame }) : null;
        if (place) text += `${formatPlace(place)}\n`;
      }
      return text;
    },
  };
}
