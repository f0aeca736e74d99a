/** Puts a recording on a topic, as its chain's node and its mempool would have: `weir produce`. */
import { setTimeout as sleep } from "node:timers/promises";
import { CONTENT } from "../frame/content.ts";
import { decodeRecord } from "../frame/decodeRecord.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import type { Producer } from "../kafka/producer.ts";
import { UserError } from "../ops/errors.ts";
import { readLines } from "./recording.ts";

export interface ProduceOptions {
  readonly path: string;
  readonly topic: string;
  readonly producer: Producer;
  /** Frames, up to 64 a record, instead of JSON. */
  readonly packed: boolean;
  /** Transactions a second; undefined: as fast as it goes. */
  readonly rate?: number;
  /** How often the recording is sent; each time with fresh hashes and block numbers. */
  readonly repeat: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (transactions: number) => void;
}

export interface Produced {
  readonly transactions: number;
  readonly records: number;
  readonly seconds: number;
}

/** 64 frames of a small transaction are about 40 KB: a record large enough to cost little, small enough to travel at once. */
const FRAMES_A_RECORD = 64;
const FRAME_RECORD_BYTES = 512 * 1024;
/** How often a rate is kept up with, in ms. */
const TICK = 10;

const HASHES = /"(hash|blockHash|parentHash)"\s*:\s*"0x([0-9a-fA-F]{64})"/g;
const NUMBERS = /"(blockNumber|number)"\s*:\s*"0x([0-9a-fA-F]+)"/g;

/**
 * Mined transactions are keyed by chain, so that a chain's blocks stay in order; pending ones by chain and sender, so that
 * a sender's nonces do.
 * @throws UserError when a line is not a transaction
 */
export async function produceRecording(options: ProduceOptions): Promise<Produced> {
  const { path, topic, producer, packed, rate, repeat, signal, onProgress } = options;
  const began = performance.now();
  let transactions = 0;
  let records = 0;
  const send = async (key: string, value: Buffer, type: string, count: number): Promise<void> => {
    while (!producer.produce(topic, null, key, value, { "content-type": type })) await producer.room();
    records++;
    transactions += count;
    if (transactions % 1_024 < count) {
      onProgress?.(transactions);
      await new Promise(setImmediate);
    }
    if (rate !== undefined) await keepTo(rate, transactions, began);
  };
  const packer = packed ? createPacker(send) : undefined;
  for (let round = 0; round < repeat && !signal.aborted; round++) {
    let number = 0;
    for await (const bytes of readLines(path)) {
      if (signal.aborted) break;
      number++;
      const line = bytes.toString().trim();
      if (line === "") continue;
      const text = round === 0 ? line : refresh(line, round);
      const place = placeOf(text, path, number);
      if (packer) await packer.add(place, text, path, number);
      else await send(place.key, Buffer.from(text), "application/json", 1);
    }
  }
  await packer?.flush();
  await producer.flush();
  onProgress?.(transactions);
  return { transactions, records, seconds: (performance.now() - began) / 1000 };
}

async function keepTo(rate: number, sent: number, began: number): Promise<void> {
  const ahead = (sent / rate) * 1000 - (performance.now() - began);
  if (ahead > TICK) await sleep(ahead);
}

/** The same transaction as if it were another: hashes and heights differ by round, everything else is as it was. */
export function refresh(line: string, round: number): string {
  const mark = round.toString(16).padStart(8, "0");
  return line
    .replace(HASHES, (_all, name: string, hash: string) => `"${name}":"0x${xorHead(hash, mark)}"`)
    .replace(
      NUMBERS,
      (_all, name: string, hex: string) =>
        `"${name}":"0x${(BigInt(`0x${hex}`) + BigInt(round) * 1_000_000n).toString(16)}"`,
    );
}

/** The first 8 digits mixed with the round: different rounds give different hashes, the same round the same. */
const xorHead = (hash: string, mark: string): string =>
  ((Number.parseInt(hash.slice(0, 8), 16) ^ Number.parseInt(mark, 16)) >>> 0).toString(16).padStart(8, "0") +
  hash.slice(8);

interface Place {
  readonly key: string;
  /** Hash of its block, or "" while it is pending. */
  readonly block: string;
}

function placeOf(text: string, path: string, line: number): Place {
  let transaction: { chainId?: number | string; from?: string; blockNumber?: string | null; blockHash?: string | null };
  try {
    transaction = JSON.parse(text) as typeof transaction;
  } catch (error) {
    throw new UserError(`Cannot produce "${path}": line ${line} is not JSON: ${(error as Error).message}`);
  }
  const chain = Number(transaction.chainId);
  return {
    key: transaction.blockNumber ? String(chain) : `${chain}:${transaction.from}`,
    block: transaction.blockHash ?? "",
  };
}

/** Gathers frames of one key into records. None has parts of two blocks: the engine cuts between blocks, and a record is never cut. */
export function createPacker(send: (key: string, value: Buffer, type: string, count: number) => Promise<void>) {
  const writer = createFrameWriter();
  let key = "";
  let block = "";
  const flush = async (): Promise<void> => {
    if (writer.count === 0) return;
    const { count } = writer;
    const value = Buffer.from(writer.bytes.slice(0, writer.end));
    writer.reset();
    await send(key, value, "application/vnd.weir.frames.v1", count);
  };
  return {
    flush,
    async add(place: Place, text: string, path: string, line: number): Promise<void> {
      // Pending transactions of different senders share records: their order among each other means nothing.
      const shared = place.key.replace(/:.*/, ":");
      const isOther = shared !== key || place.block !== block;
      if (isOther || writer.count >= FRAMES_A_RECORD || writer.end >= FRAME_RECORD_BYTES) {
        await flush();
        key = shared;
        block = place.block;
      }
      const bytes = Buffer.from(text);
      decodeRecord(bytes, 0, bytes.length, CONTENT.json, writer, () => {
        throw new UserError(`Cannot produce "${path}" as frames: line ${line} is not a transaction`);
      });
    },
  };
}
