/** Transactions for a measurement, in memory and with the truth about them. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BUNDLED_RECORDING } from "../../engine/cli/bundled.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { decodeRecord } from "../../engine/frame/decodeRecord.ts";
import { lastError } from "../../engine/frame/describeError.ts";
import { createFrameWriter, type FrameWriter } from "../../engine/frame/frameWriter.ts";
import { peekBlocks } from "../../engine/source/peekBlock.ts";
import { refresh } from "../../engine/source/produce.ts";
import { readLines } from "../../engine/source/recording.ts";
import { countPlain, type PlainCounts } from "../peers/plainRules.ts";
import { rulesFor } from "./blockRules.ts";
import type { JsonRule } from "./ruleMix.ts";
import { countByRule, parseTransaction } from "./ruleTruth.ts";
import { createSynthetic } from "./synthetic.ts";

export interface Load {
  readonly name: string;
  /** One transaction each, as JSON. */
  readonly lines: readonly Buffer[];
  /** Mean size of a line. */
  readonly bytes: number;
  /** What the example rules must make of all of them, told without the engine. */
  readonly expected: Pick<PlainCounts, "alerted" | "failed">;
}

const MAINNET = fileURLToPath(new URL("../../../shared/data/mainnet.ndjson.gz", import.meta.url));

/** Generated pending transactions: 1 % whales, 1 % unlimited approvals. */
export function pendingLoad(count: number): Load {
  const synthetic = createSynthetic();
  const lines = Array.from({ length: count }, () => Buffer.from(synthetic.next()));
  const { whales, approvals } = synthetic.expected;
  const alerted = { "whale-transfer": whales, "unlimited-approval": approvals };
  return load("pending", lines, { alerted, failed: {} });
}

/**
 * Real mainnet blocks with receipts, repeated with fresh hashes and heights; the bundled recording where they are not at hand.
 * @param rounds how often
 */
export async function blocksLoad(rounds: number, say: (text: string) => void): Promise<Load> {
  const real = existsSync(MAINNET);
  if (!real) say(`no mainnet blocks at ${MAINNET}: the bundled recording stands in for them`);
  const texts: string[] = [];
  for await (const line of readLines(real ? MAINNET : BUNDLED_RECORDING))
    if (line.length > 0) texts.push(line.toString());
  const once = countPlain(texts);
  const lines: Buffer[] = [];
  for (let round = 0; round < rounds; round++)
    for (const text of texts) lines.push(Buffer.from(round === 0 ? text : refresh(text, round)));
  const times = (counts: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).map(([rule, count]) => [rule, count * rounds]));
  return load(real ? "blocks" : "bundled", lines, { alerted: times(once.alerted), failed: times(once.failed) });
}

/** Transactions of a mix, each so many times, and what these rules must make of them. */
export function ruleLoad(name: string, rules: readonly JsonRule[], once: readonly string[], times: number): Load {
  const lines = Array.from({ length: times }, () => once.map((line) => Buffer.from(line))).flat();
  return load(name, lines, { alerted: alertedBy(rules, once, times), failed: {} });
}

/** The same for blocks: what `rulesFor` makes of them, and the blocks so many times. */
export async function blockRuleLoad(
  count: number,
  rounds: number,
  say: (text: string) => void,
): Promise<{ readonly load: Load; readonly rules: readonly JsonRule[] }> {
  const { name, lines } = await blocksLoad(rounds, say);
  const once = lines.slice(0, lines.length / rounds).map(String);
  const rules = rulesFor(once.map(parseTransaction), count);
  return { load: load(name, lines, { alerted: alertedBy(rules, once, rounds), failed: {} }), rules };
}

/** Transactions by rule, without rules that alert on none. */
function alertedBy(rules: readonly JsonRule[], once: readonly string[], times: number): Record<string, number> {
  const counts = countByRule(rules, once.map(parseTransaction));
  return Object.fromEntries(rules.flatMap(({ id }, i) => (counts[i]! > 0 ? [[id, counts[i]! * times]] : [])));
}

function load(name: string, lines: readonly Buffer[], expected: Load["expected"]): Load {
  const bytes = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
  return { name, lines, bytes: Math.round(bytes), expected };
}

/** What goes onto the topic: a value, its key and its content type. */
export interface LoadRecord {
  readonly key: string;
  readonly value: Buffer;
}

/** Mined transactions by chain, pending ones by chain and sender: as `weir produce` does. */
export function jsonRecords({ lines }: Load): LoadRecord[] {
  return lines.map((value) => {
    const { chainId, from, blockNumber } = JSON.parse(value.toString()) as Record<string, string | null>;
    return { key: blockNumber ? `${chainId}` : `${chainId}:${from}`, value };
  });
}

export const FRAMES_A_RECORD = 64;
/** A record of frames may have so many bytes; a single transaction may be larger. */
const RECORD_BYTES = 512 * 1024;

/** The same transactions as frames, up to 64 of one chain and block a record, as `weir produce` packs them. */
export function packedRecords({ lines }: Load): LoadRecord[] {
  const records: LoadRecord[] = [];
  const writers = new Map<number, FrameWriter>();
  const blocks = new Map<number, number>();
  const flush = (chain: number, writer: FrameWriter): void => {
    if (writer.count === 0) return;
    records.push({ key: `${chain}`, value: Buffer.from(writer.bytes.subarray(0, writer.end)) });
    writer.reset();
  };
  for (const line of lines) {
    const chain = Number(
      /"chainId":(\d+)/.exec(line.toString("latin1", 0, 4096))?.[1] ?? JSON.parse(line.toString()).chainId,
    );
    let writer = writers.get(chain);
    if (!writer) writers.set(chain, (writer = createFrameWriter({ capacity: RECORD_BYTES })));
    let block = 0;
    peekBlocks({ content: CONTENT.json, value: line }, (hash) => (block = hash));
    if (blocks.get(chain) !== block) flush(chain, writer);
    blocks.set(chain, block);
    appendFrame(writer, line);
    if (writer.count === FRAMES_A_RECORD || writer.end >= RECORD_BYTES) flush(chain, writer);
  }
  for (const [chain, writer] of writers) flush(chain, writer);
  return records;
}

/** @throws Error when the line is not a transaction */
export function appendFrame(writer: FrameWriter, line: Uint8Array): void {
  decodeRecord(line, 0, line.length, CONTENT.json, writer, () => {
    throw new Error(`Cannot use a line of the load: ${lastError().message}`);
  });
}
