/**
 * What is usual: median and median absolute deviation of amounts by key, an immutable part of what a worker knows. Amounts are compared
 * by their logarithm, log2(1 + x): they spread over many orders of magnitude, and so "twice as much" is as far from every median.
 */
import { buildList, type ListTable, openListTable } from "./listTable.ts";

/** What is measured on a chain, and the bytes of its key: value in wei by sender, gas limit by selector. */
export const BASELINE_BYTES = { sender_value: 20, selector_gas: 4 } as const;
export type BaselineKind = keyof typeof BASELINE_BYTES;

export interface BaselineRow {
  readonly chainId: number;
  readonly kind: BaselineKind;
  /** Address or selector. */
  readonly key: Uint8Array;
  /** How many amounts it was made from. */
  readonly samples: number;
  /** Of log2(1 + x). */
  readonly median: number;
  /** Median of |log2(1 + x) − median|. */
  readonly mad: number;
}

/** Of one chain. Can be handed to a thread: shared memory. */
export interface BaselineTable {
  readonly chainId: number;
  readonly kinds: Readonly<
    Record<BaselineKind, { readonly keys: SharedArrayBuffer; readonly usual: SharedArrayBuffer }>
  >;
}

/** By chain id. */
export type ChainBaselines = ReadonlyMap<number, Baselines>;

export interface Baselines {
  /** Is there one for this key? @param at word where the key begins */
  has(kind: BaselineKind, words: Uint32Array, at: number): boolean;
  /**
   * How many robust deviations an amount is above what is usual for a key; below 0: less than usual. undefined: it is not known what is usual.
   * 0.6745 (x − median) / MAD, the modified z-score of Iglewicz and Hoaglin, who call beyond 3.5 an outlier.
   */
  deviation(kind: BaselineKind, words: Uint32Array, at: number, amount: number): number | undefined;
}

/** Fewer samples say nothing. */
export const MIN_SAMPLES = 20;
export const OUTLIER = 3.5;

/** Who always pays the same has a MAD of 0, and 1 % more would be beyond any bound: no less than a tenth of a doubling, 7 %. */
const MIN_MAD = 0.1;

/** @param median of logarithms, as is `mad` */
export const robustDeviation = (amount: number, median: number, mad: number): number =>
  (0.6745 * (Math.log2(1 + amount) - median)) / Math.max(mad, MIN_MAD);

export const BASELINE_KINDS = Object.keys(BASELINE_BYTES) as BaselineKind[];

/** Rows with too few samples are left out; of two rows with one key the first counts. */
export function buildBaselines(rows: readonly BaselineRow[]): BaselineTable[] {
  const chains = [...new Set(rows.map(({ chainId }) => chainId))];
  return chains.map((chainId) => ({ chainId, kinds: buildKinds(rows.filter((row) => row.chainId === chainId)) }));
}

const buildKinds = (rows: readonly BaselineRow[]): BaselineTable["kinds"] =>
  Object.fromEntries(
    BASELINE_KINDS.map((kind) => {
      const own = rows.filter((row) => row.kind === kind && row.samples >= MIN_SAMPLES);
      const builder = buildList(BASELINE_BYTES[kind], own.length);
      for (const { key } of own) builder.add(key);
      const keys = builder.done();
      const usual = new SharedArrayBuffer(16 * keys.size);
      const pairs = new Float64Array(usual);
      for (const { key, median, mad } of own.toReversed()) pairs.set([median, mad], 2 * numberOf(keys, key));
      return [kind, { keys: keys.buffer, usual }];
    }),
  ) as unknown as BaselineTable["kinds"];

export const openBaselines = (tables: readonly BaselineTable[]): ChainBaselines =>
  new Map(tables.map((table) => [table.chainId, openTable(table)]));

function openTable(table: BaselineTable): Baselines {
  const open = (kind: BaselineKind) => ({ keys: openListTable(table.kinds[kind].keys), usual: new Float64Array(table.kinds[kind].usual) }); // biome-ignore format: one call
  const kinds = { sender_value: open("sender_value"), selector_gas: open("selector_gas") };
  return {
    has: (kind, words, at) => kinds[kind].keys.has(words, at),
    deviation(kind, words, at, amount) {
      const { keys, usual } = kinds[kind];
      const number = keys.find(words, at);
      if (number < 0) return undefined;
      return robustDeviation(amount, usual[2 * number]!, usual[2 * number + 1]!);
    },
  };
}

const numberOf = (keys: ListTable, key: Uint8Array): number =>
  keys.find(new Uint32Array(Uint8Array.from(key).buffer), 0);
