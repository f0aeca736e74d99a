/**
 * What the sandbox costs: a rule's look at a transaction, metered and not, by the size of the batch; a new instance; a trap;
 * admission. One thread, frames in memory, no filter: every rule is shown every transaction.
 *
 *     unmetered   the module as asc made it, called through a loop of its own
 *     metered     the same bytes after admission, called through the loop that admission adds
 *     whole       all that the engine does for a call: memory put back, frames copied in, metered, results read
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { admit } from "../../engine/sandbox/admit.ts";
import { instantiate } from "../../engine/sandbox/instance.ts";
import { RUN_LIMITS } from "../../engine/sandbox/limits.ts";
import { createRule, type FrameSource } from "../../engine/sandbox/rule.ts";
import type { Decoded } from "../../engine/worker/decode.ts";
import { figure } from "../figure.ts";
import { decodeBatches } from "../load/frames.ts";
import { blocksLoad } from "../load/load.ts";
import { compileWithLoop } from "../load/loopModule.ts";
import { mixRules, mixTransactions } from "../load/ruleMix.ts";
import { createModuleMaker, renamed } from "../load/ruleModules.ts";
import { type MixTransaction, parseTransaction } from "../load/ruleTruth.ts";
import { PLAIN_RULES, type PlainTransaction } from "../peers/plainRules.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";

/** Transactions to choose from: 2.3 MB of frames, more than a core's own caches hold. */
const TRANSACTIONS = 4_096;
const SIZES = [1, 16, 256, TRANSACTIONS];
/** The goal is for this size; examples and traps are measured at it. */
const BATCH = 256;
/** A run of a figure is the median of so many samples, each so short that mostly nothing else gets the core meanwhile. */
const SAMPLES = 51;
/** Transactions of one sample: less than a millisecond. */
const SAMPLE = 8_192;
/** V8's optimising compiler works beside, in threads of its own: it gets the time to finish. */
const WARM_UP_MS = 1_000;
const TRAP_EVERY = 64;
const EXAMPLES = fileURLToPath(new URL("../../rules-as/examples/", import.meta.url));
/** Rules that alert on little, and what they must alert on. */
const PROBES: Readonly<Record<string, { source: string; alerts: (tx: MixTransaction) => boolean }>> = {
  "three fields": {
    source: `import { Tx, Severity, u256, alert, address } from "@weir/rules";
      const LEAST = u256("1000000000000000000");
      const WATCHED = address("0x28c6c06298d514db089934071355e5743bf21d60");
      export function onTx(tx: Tx): void {
        if (tx.chainId == 1 && tx.value > LEAST && (tx.to == WATCHED || tx.nonce == 7)) alert(Severity.Low, "seen");
      }`,
    alerts: (tx) => tx.chainId === 1 && tx.value > 10n ** 18n && tx.nonce === 7n,
  },
  "a word of input": {
    source: `import { Tx, Severity, alert, selector } from "@weir/rules";
      const TRANSFER = selector("transfer(address,uint256)");
      export function onTx(tx: Tx): void {
        if (tx.selector == TRANSFER && tx.arg(1).asU256().isZero) alert(Severity.Low, "nothing");
        if (tx.arg(0).asAddress().isZero) alert(Severity.Low, "nobody");
      }`,
    alerts: () => false,
  },
  "a loop over the input's bytes": {
    source: `import { Tx, Severity, alert } from "@weir/rules";
      export function onTx(tx: Tx): void {
        const input = tx.input;
        let sum: u32 = 0;
        for (let i: u32 = 0; i < input.length; i++) sum = sum * 31 + input[i];
        if (sum == 1) alert(Severity.Low, "one");
      }`,
    alerts: (tx) => {
      let sum = 0;
      for (const byte of Buffer.from(tx.input.slice(2), "hex")) sum = (Math.imul(sum, 31) + byte) | 0;
      return sum === 1;
    },
  },
};

const TRAPPING = `import { Tx, Severity, alert } from "@weir/rules";
  export function onTx(tx: Tx): void {
    if (tx.nonce % TIMES == ${TRAP_EVERY - 1}) throw new Error("on purpose");
  }`;

export const sandbox: Scenario = {
  name: "sandbox",
  async run(context) {
    const lines = mixTransactions(TRANSACTIONS);
    const frames = decodeBatches(lines, TRANSACTIONS)[0]!;
    const transactions = lines.map(parseTransaction);
    const measured: Measured[] = [];
    for (const [name, { source, alerts }] of Object.entries(PROBES)) {
      const wasm = await compileWithLoop("probe", source);
      context.say(`${name}: ${wasm.length} bytes`);
      const checks = check(name, wasm, frames, transactions.filter(alerts).length);
      measured.push({ checks, figures: measureSizes(name, wasm, frames, context) });
    }
    const { lines: blocks } = await blocksLoad(1, context.say);
    const examples: Example[] = [];
    for (const [name, { sees }] of Object.entries(PLAIN_RULES)) {
      const wasm = await compileWithLoop(name, readFileSync(`${EXAMPLES}${name}.ts`, "utf8"));
      const seen = blocks.filter((line) => sees(JSON.parse(line.toString()) as PlainTransaction)).slice(0, BATCH);
      examples.push({ wasm, frames: decodeBatches(seen, BATCH)[0]! });
    }
    context.say(`the five examples on ${examples.map(({ frames }) => frames.count).join(", ")} transactions of blocks`);
    measured.push(measureExamples(examples, context));
    context.say("admission, instances and traps");
    measured.push({ checks: [], figures: await measureBeginnings(context) });
    measured.push(await measureTraps(frames, context));
    return {
      checks: measured.flatMap(({ checks }) => checks),
      figures: measured.flatMap(({ figures }) => figures),
    };
  },
};

/** One of the rules in rules-as/examples, and the first transactions of the blocks that its filter lets through. */
interface Example {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly frames: Decoded;
}

/** The rule alerts on as many transactions as its twin in JavaScript, in batches of any size. */
function check(name: string, wasm: Uint8Array, frames: Decoded, expected: number): Check[] {
  return SIZES.map((size) => {
    const rule = createRule(admitted(wasm));
    const source = sourceOf(frames);
    let got = 0;
    for (const indices of cuts(frames.count, size)) got += rule.run(source, indices, indices.length).matches.length;
    return { name: `${name}: alerts in batches of ${size}`, expected, got };
  });
}

type Ways = Readonly<Record<"unmetered" | "metered" | "whole", () => void>>;

interface Prepared {
  readonly ways: Ways;
  /** Transactions that `unmetered` and `metered` show. */
  readonly transactions: number;
  /** Bytes of results that they leave. */
  readonly results: Readonly<Record<"unmetered" | "metered", () => number>>;
}

/** One way each to show the transactions of a cut to the rule, the next cut with every call. */
function waysOf(wasm: Uint8Array<ArrayBuffer>, frames: Decoded, size: number): Prepared {
  const source = sourceOf(frames);
  const all = cuts(frames.count, size);
  const module = admitted(wasm);
  const rule = createRule(module);
  const plain = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { abort() {} } })
    .exports as unknown as LoopExports;
  const guest = instantiate(module, RUN_LIMITS.inputBytes);
  // As many as one call takes: of the largest batch not quite all.
  const input = plain.weir_reserve(RUN_LIMITS.inputBytes);
  const shown = fill(plain.memory, input, source, size);
  fill(guest.memory, guest.input, source, size);
  const plainTable = createTable(plain.memory, input, shown);
  const guestTable = createTable(guest.memory, guest.input, shown);
  let next = 0;
  return {
    results: { unmetered: plainTable.last, metered: guestTable.last },
    transactions: shown,
    ways: {
      unmetered() {
        plainTable.restore();
        plain.weir_out_length.value = 0;
        plain.bench_run(plainTable.address, shown);
      },
      metered() {
        guestTable.restore();
        guest.run(shown);
      },
      whole() {
        const indices = all[next++ % all.length]!;
        rule.run(source, indices, Math.min(indices.length, shown));
      },
    },
  };
}

/** The loop puts ends of results where pointers to frames were, and over the first frame's beginning what is dirty: before the next call they are put back. */
function createTable(memory: WebAssembly.Memory, address: number, count: number) {
  const at = address >> 2;
  let words = new Uint32Array(memory.buffer);
  const pointers = words.slice(at, at + count + (count & 1) + 2);
  const view = (): Uint32Array => {
    if (words.length === 0) words = new Uint32Array(memory.buffer); // the memory grew
    return words;
  };
  return { address, restore: () => view().set(pointers, at), last: () => view()[at + count - 1]! };
}

interface LoopExports {
  readonly memory: WebAssembly.Memory;
  weir_reserve(bytes: number): number;
  readonly weir_out_length: WebAssembly.Global;
  bench_run(table: number, count: number): void;
}

/** The table and the first transactions' frames, at most `count`, as rule.ts puts them into the input area; says how many fit. */
function fill(memory: WebAssembly.Memory, input: number, { words, offsets }: FrameSource, count: number): number {
  const target = new Uint32Array(memory.buffer);
  let at = (input >> 2) + count + (count & 1);
  for (let i = 0; i < count; i++) {
    const from = offsets[i]! >> 2;
    const size = words[from + 1]! >> 2;
    if ((at + size) * 4 > input + RUN_LIMITS.inputBytes) return i;
    target[(input >> 2) + i] = at * 4;
    target.set(words.subarray(from, from + size), at);
    at += size;
  }
  return count;
}

function measureSizes(name: string, wasm: Uint8Array<ArrayBuffer>, frames: Decoded, context: Context): Figure[] {
  return SIZES.flatMap((size) => {
    const { ways, transactions } = waysOf(wasm, frames, size);
    const ns = inTurn(Object.values(ways), transactions, context.runs);
    return Object.keys(ways).map((way, i) =>
      figure(`${name}, batch ${size}: ${way}`, "ns", ns[i]!, goalOf(name, size, way)),
    );
  });
}

/** The promise: 15 ns a (transaction, rule) metered, in batches of 256. */
const goalOf = (name: string, size: number, way: string) =>
  name === "three fields" && size === BATCH && way === "metered" ? { below: 15 } : undefined;

/** The five examples one after the other, each on transactions that its filter lets through. */
function measureExamples(examples: readonly Example[], { runs }: Context): Measured {
  const each = examples.map(({ wasm, frames }) => waysOf(wasm, frames, frames.count));
  const names = ["unmetered", "metered", "whole"] as const;
  const ns = inTurn(
    names.map((way) => () => {
      for (const { ways } of each) ways[way]();
    }),
    each.reduce((sum, { transactions }) => sum + transactions, 0),
    runs,
  );
  const [unmetered, metered, whole] = ns as [number[], number[], number[]];
  const percent = (of: (i: number) => number): number[] =>
    metered.map((value, i) => ((value - unmetered[i]!) / of(i)) * 100);
  const figures = [
    ...names.map((way, i) => figure(`five examples, batch up to ${BATCH}: ${way}`, "ns", ns[i]!)),
    figure(
      "five examples: metering, of the guest's own time",
      "%",
      percent((i) => unmetered[i]!),
      { below: 20 },
    ),
    figure(
      "five examples: metering, of a whole call",
      "%",
      percent((i) => whole[i]! - metered[i]! + unmetered[i]!),
    ),
  ];
  const checks = each.map(({ results }, i) => ({
    name: `example ${i + 1}: bytes of results, metered as unmetered`,
    expected: results.unmetered(),
    got: results.metered(),
  }));
  return { checks, figures };
}

/** What stands before the first transaction: admission, compilation, an instance. V8 remembers modules by their bytes: each is another. */
async function measureBeginnings({ runs }: Context): Promise<Figure[]> {
  const makeModule = await createModuleMaker();
  const modules = mixRules("dense", 1_000).map(makeModule);
  const compiled = modules.map(({ admitted }) => new WebAssembly.Module(admitted));
  let admission = 0;
  let compilation = 0;
  let instance = 0;
  const us = inTurn(
    [
      () => void admit(modules[admission++ % modules.length]!.uploaded),
      () => void new WebAssembly.Module(renamed(modules[compilation % modules.length]!.admitted, compilation++)),
      () => void instantiate(compiled[instance++ % compiled.length]!, 64 * 1024),
    ],
    1,
    runs,
    1,
  ).map((samples) => samples.map((ns) => ns / 1_000));
  return [
    figure("admission of a module, its manifest read", "µs", us[0]!),
    figure("compilation of an admitted module", "µs", us[1]!),
    figure("another instance of a compiled module", "µs", us[2]!),
    figure("module as uploaded", "B", [modules[0]!.uploaded.length]),
    figure("module as admitted", "B", [modules[0]!.admitted.length]),
  ];
}

/** A rule that aborts on every 64th transaction beside one that does the same sum and never aborts. */
async function measureTraps(frames: Decoded, { runs }: Context): Promise<Measured> {
  const source = sourceOf(frames);
  const all = cuts(frames.count, BATCH);
  const ruleOf = async (times: number) =>
    createRule(admitted(await compileWithLoop("trap", TRAPPING.replace("TIMES", String(times)))));
  const trapping = await ruleOf(TRAP_EVERY);
  const quiet = await ruleOf(1);
  const runAll = (rule: typeof trapping): number =>
    all.reduce((sum, indices) => sum + rule.run(source, indices, indices.length).failures.length, 0);
  const traps = runAll(trapping);
  const ns = inTurn([() => void runAll(trapping), () => void runAll(quiet)], 1, runs, 1);
  const each = ns[0]!.map((value, i) => (value - ns[1]![i]!) / traps / 1_000);
  const nonces = 1_000; // of the load: 0, 1, … and again from 0
  const expected = Array.from({ length: frames.count }, (_, i) => (i % nonces) % TRAP_EVERY === TRAP_EVERY - 1);
  return {
    checks: [
      { name: "failures of the rule that aborts", expected: expected.filter(Boolean).length, got: traps },
      { name: "failures of the one that does not", expected: 0, got: runAll(quiet) },
    ],
    figures: [figure(`a trap, one in ${TRAP_EVERY}, batch ${BATCH}: instance and copies again`, "µs", each)],
  };
}

/** ns of one of `units`, by way and run. In turn, so that what else goes on hits all ways alike. */
function inTurn(ways: readonly (() => void)[], units: number, runs: number, sample = SAMPLE): number[][] {
  const times = Math.max(1, Math.round(sample / units));
  const round = (samples: number[][]): void =>
    ways.forEach((way, w) => {
      const began = process.hrtime.bigint();
      for (let n = 0; n < times; n++) way();
      samples[w]!.push(Number(process.hrtime.bigint() - began) / (times * units));
    });
  const empty = (): number[][] => ways.map(() => []);
  for (const began = performance.now(); performance.now() - began < WARM_UP_MS; ) round(empty());
  const medians = empty();
  for (let run = 0; run < runs; run++) {
    const samples = empty();
    for (let i = 0; i < SAMPLES; i++) round(samples);
    for (const [w, each] of samples.entries()) medians[w]!.push(each.sort((a, b) => a - b)[SAMPLES >> 1]!);
  }
  return medians;
}

const sourceOf = ({ words, frames }: Decoded): FrameSource => ({ words, offsets: frames });

function outcomeOf(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const admission = admit(wasm);
  if (!admission.ok) throw new Error(`Cannot measure a rule: ${admission.findings[0]!.message}`);
  return Uint8Array.from(admission.module);
}

const admitted = (wasm: Uint8Array): WebAssembly.Module => new WebAssembly.Module(outcomeOf(wasm));

/** 0 … count − 1, `size` at a time. */
function cuts(count: number, size: number): Uint32Array[] {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: Math.floor(count / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
}
