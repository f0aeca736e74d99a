import { CONTENT } from "./content.ts";
import { decodeJson } from "./decodeJson.ts";
import { decodeRecord } from "./decodeRecord.ts";
import { lastError } from "./describeError.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { mainnetLines } from "./testing/mainnet.ts";

/**
 * µs of one core a transaction: `node --import tsx engine/frame/decodeJson.bench.ts`
 *
 *     synthetic JSON  655 B  1.1 µs     packed 552 B  0.37 µs     (a plain scanner without this one's checks: 1.3 to 2.0)
 *     mainnet JSON  1,597 B  2.5 µs     packed 716 B  0.38 µs     receipts included
 *
 * Node 20.20, one of two shared cores. Of the 1.1 µs some 0.25 are the hex digits of the input (1 ns a byte).
 */
const BATCH = 4096; // transactions before the writer is emptied, as a worker does
const RUNS = 5;

/** Lines back to back in one buffer, as in a batch. */
function corpus(lines: readonly Uint8Array[]) {
  const ends: number[] = [];
  for (const line of lines) ends.push((ends.at(-1) ?? 0) + line.length);
  const shared = new Uint8Array(new SharedArrayBuffer(ends.at(-1)!));
  for (const [i, line] of lines.entries()) shared.set(line, ends[i]! - line.length);
  return { bytes: shared, ends };
}

/** Pending transactions of 656 B on average, drawn from a fixed seed. */
function synthetic(count: number): Uint8Array[] {
  let state = 0x2545f491;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
  const quantity = (bits: number) => `0x${Math.floor(random() * 2 ** bits + 1).toString(16)}`;
  return Array.from({ length: count }, (_, i) => {
    const transaction = {
      chainId: [1, 10, 137, 8453][i % 4], hash: `0x${hex(64)}`, from: `0x${hex(40)}`, to: `0x${hex(40)}`, nonce: quantity(10), value: quantity(60),
      gas: quantity(19), gasPrice: quantity(36), maxFeePerGas: quantity(34), maxPriorityFeePerGas: quantity(30), type: "0x2",
      input: `0x${hex(8 + 64 * Math.floor(random() * 9))}`, seenAt: 1763700000000 + i,
    }; // biome-ignore format: as a recording has it
    return Buffer.from(JSON.stringify(transaction));
  });
}

function report(name: string, bytes: number, count: number, run: () => void): void {
  for (let i = 0; i < 3; i++) run(); // until it is compiled
  const times = Array.from({ length: RUNS }, () => {
    const start = process.cpuUsage();
    for (let i = 0; i < 4; i++) run();
    return process.cpuUsage(start).user / (4 * count);
  }).sort((a, b) => a - b);
  const [best, median] = [times[0]!, times[RUNS >> 1]!];
  console.log(
    `${name}: ${Math.round(bytes / count)} B, ${median.toFixed(2)} µs (best ${best.toFixed(2)}, ${RUNS} runs)`,
  );
}

const writer = createFrameWriter();

function decodeAll(bytes: Uint8Array, ends: readonly number[]): void {
  for (let i = 0, start = 0; i < ends.length; start = ends[i++]!) {
    if (i % BATCH === 0) writer.reset();
    if (decodeJson(bytes, start, ends[i]!, writer) !== 0) throw new Error(lastError().message);
  }
}

function onError(): never {
  throw new Error(lastError().message);
}

for (const [name, lines] of [
  ["synthetic", synthetic(20_000)],
  ["mainnet", mainnetLines()],
] as const) {
  if (lines.length === 0) continue;
  const { bytes, ends } = corpus(lines);
  report(`${name} JSON`, bytes.length, lines.length, () => decodeAll(bytes, ends));

  // The same packed, 64 transactions a record
  writer.reset();
  const records: Uint8Array[] = [];
  for (let i = 0, start = 0; i < ends.length; start = ends[i++]!) {
    decodeJson(bytes, start, ends[i]!, writer);
    if (writer.count < 64 && i < ends.length - 1) continue;
    records.push(writer.bytes.slice(0, writer.end));
    writer.reset();
  }
  const packed = corpus(records);
  report(`${name} packed`, packed.bytes.length, lines.length, () => {
    for (let i = 0, start = 0; i < packed.ends.length; start = packed.ends[i++]!) {
      if (i % 64 === 0) writer.reset();
      decodeRecord(packed.bytes, start, packed.ends[i]!, CONTENT.frames, writer, onError);
    }
  });
}
