/**
 * Flags of Node that the engine runs with.
 *
 * A young generation of 64 MiB (Node's own limit is 16): records live until their batch is cut, and in a smaller one they are
 * taken for old and collected by full collections. Measured, JSON records: 21.4 to 18.4 µs of CPU a transaction, and 40 MB more
 * memory.
 *
 * Functions are optimised when they have run for 500 KB of bytecode, not 132: a first replay spent a quarter of its CPU on
 * optimising, for each thread anew, what was not hot. 5.4 to 3.8 s for the bundled recording; the same rate in the long run.
 */
export const NODE_FLAGS = ["--max-semi-space-size=64", "--interrupt-budget=500000"];
