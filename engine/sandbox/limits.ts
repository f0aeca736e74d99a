/** What a module may be. Far above what `asc` makes of a rule (a few dozen KiB), far below what hurts the engine. */
export const MODULE_LIMITS = {
  moduleBytes: 1024 * 1024,
  types: 1_000,
  functions: 5_000,
  parameters: 64,
  /** parameters and locals of one function: 2,048 × 16 B = 32 KiB of stack a call at the very most */
  locals: 2_048,
  functionBytes: 64 * 1024,
  nesting: 256,
  brTable: 1_024,
  /**
   * branches, each times the locals of its function, summed: where code may come from several places V8's compiler brings all locals
   * into one order. 2 to 3 ns each, and a function is compiled when it is first called, in the middle of a batch: some 15 ms at most. Our example rules come to 4,000
   */
  complexity: 5_000_000,
  globals: 256,
  exports: 256,
  tableEntries: 8_192,
  elementSegments: 256,
  dataSegments: 1_024,
  dataBytes: 512 * 1024,
  /** 4 MiB: an input area of 1 MiB, results, and what the rule itself needs. */
  memoryPages: 64,
} as const;
export type ModuleLimits = { readonly [name in keyof typeof MODULE_LIMITS]: number };

/** What a rule may use while it runs. */
export const RUN_LIMITS = {
  /** fuel for one transaction: 1 is about an instruction, so 4,000,000 is about 2 ms. A rule that looks at each of 10,001 logs (the most in our real blocks) uses 1,100,000 to 1,500,000 */
  fuel: 4_000_000,
  /**
   * Fuel for one batch, 128 full transactions' worth: about 0.25 s of a thread whose batches take 15 to 50 ms. It is what a rule may
   * cost everybody else before it is quarantined. In a full batch of 4,096 it leaves 125,000 to each, 13 times what the heaviest
   * example rule uses of a real transaction on average (whale-transfer: 9,300); fewer than 128 transactions never meet it. What a guest wastes counts, too: attempts that are repeated, and
   * instances that its traps make necessary.
   */
  batchFuel: 512_000_000,
  /** fuel that a new instance counts as, beyond what its own initialisation takes: 0.1 to 0.3 ms with its share of garbage collection */
  instanceFuel: 400_000,
  /** fuel for the start function, and again for each of weir_manifest, weir_reserve and weir_out */
  initFuel: 10_000_000,
  /**
   * bytes of one call's input, table and frames; a frame that does not fit is a failure of its transaction. A record has at
   * most 4 MiB of JSON, nearly all of it hex, so its frame fits
   */
  inputBytes: 2 * 1024 * 1024,
  /** results of one transaction: the SDK gives it 4 KiB, which hold 256 of the smallest */
  results: 256,
  /** results of one batch: 8 for each transaction of a full one. An alert is a row and a record, about 1 KiB: 32 MiB */
  batchResults: 32_768,
  alertBytes: 1_024,
  tagBytes: 64,
} as const;
export type RunLimits = { readonly [name in keyof typeof RUN_LIMITS]: number };
