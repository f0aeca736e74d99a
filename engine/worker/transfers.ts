/** What moved in the blocks of a batch, as rows: every transfer that `findTransfers` (../chain/transfers.ts) would tell of, without an object of it. */
import type { Block } from "../../clickhouse/native.ts";
import { encodeTransfers, VALUE } from "../../clickhouse/tables/transfers.ts";
import type { BatchBlock } from "../chain/blocks.ts";
import type { Registry } from "../chain/registry/registry.ts";
import { hasHappened, transferEventOf } from "../chain/transfers.ts";
import { logCount, logsAt, nextEntry } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import type { Decoded } from "./decode.ts";

/** No block where nothing moved. */
export function createTransferStage(registry: Registry): (decoded: Decoded, blocks: readonly BatchBlock[]) => Block[] {
  return (decoded, blocks) => {
    /** Of each transfer: its transaction's number in the batch, its log, its kind. */
    const [numbers, logs, kinds]: [number[], number[], number[]] = [[], [], []];
    for (const block of blocks) {
      const wrapped = registry.chains.get(block.chainId)?.wrapped;
      for (const [transaction, frame] of block.frames.entries()) {
        if (!hasHappened(block, frame)) continue;
        const number = block.numbers[transaction]!;
        if (hasValue(block.u32, frame)) {
          numbers.push(number);
          logs.push(0);
          kinds.push(VALUE);
        }
        for (let i = logCount(block, frame), log = logsAt(block, frame); i > 0; i--, log = nextEntry(block, log)) {
          const kind = transferEventOf(block, log, wrapped);
          if (kind < 0) continue;
          numbers.push(number);
          logs.push(log);
          kinds.push(kind);
        }
      }
    }
    const count = numbers.length;
    if (count === 0) return [];
    const of = <T extends Float64Array | Uint32Array>(all: T, made: T): T => {
      for (let i = 0; i < count; i++) made[i] = all[numbers[i]!]!;
      return made;
    };
    return encodeTransfers({
      ...{ source: decoded.source, partition: decoded.partition, count, bytes: decoded.bytes, words: decoded.words },
      frames: of(decoded.frames, new Uint32Array(count)),
      offsets: of(decoded.offsets, new Float64Array(count)),
      indexes: of(decoded.indexes, new Uint32Array(count)),
      events: of(decoded.events, new Float64Array(count)),
      logs: Uint32Array.from(logs),
      kinds: Uint8Array.from(kinds),
    });
  };
}

function hasValue(words: Uint32Array, frame: number): boolean {
  const at = (frame + OFFSET.value) >> 2;
  for (let i = 0; i < 8; i++) if (words[at + i] !== 0) return true;
  return false;
}
