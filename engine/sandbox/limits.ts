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
  globals: 256,
  exports: 256,
  tableEntries: 8_192,
  elementSegments: 256,
  dataSegments: 1_024,
  dataBytes: 512 * 1024,
  /** 4 MiB: an input area of 1 MiB, results, and what the rule itself needs. No more than 64: pages written are bits of an i64 */
  memoryPages: 64,
} as const;
export type ModuleLimits = { readonly [name in keyof typeof MODULE_LIMITS]: number };

/** What a rule may use while it runs. */
export const RUN_LIMITS = {
  /** fuel for one transaction: 1 is about an instruction, so 4,000,000 is about 2 ms. A rule that looks at each of 10,001 logs (the most in our real blocks) uses 1,100,000 to 1,500,000 */
  fuel: 4_000_000,
  /** fuel for the start function, and again for each of weir_manifest, weir_reserve and weir_out */
  initFuel: 10_000_000,
  /**
   * bytes of one call's input, table and frames; a frame that does not fit is a failure of its transaction. A record has at
   * most 4 MiB of JSON, nearly all of it hex, so its frame fits
   */
  inputBytes: 2 * 1024 * 1024,
  /** results of one transaction: the SDK gives it 4 KiB, which hold 256 of the smallest */
  results: 256,
  alertBytes: 1_024,
  tagBytes: 64,
} as const;
export type RunLimits = { readonly [name in keyof typeof RUN_LIMITS]: number };
