/**
 * Flags of Node that the engine runs with.
 *
 * A young generation of 64 MiB (Node's own limit is 16): records live until their batch is cut, and in a smaller one they are
 * taken for old and collected by full collections. Measured, JSON records: 21.4 to 18.4 µs of CPU a transaction, and 40 MB more
 * memory.
 *
 * Functions are optimised when they have run for 500 KB of bytecode, not 132: a first replay spent a quarter of its CPU on
 * optimising, for each thread anew, what was not hot. 5.4 to 3.8 s for the bundled recording; the same rate in the long run.
 *
 * The heap may grow fourfold between full collections, V8's own most: batches and blocks are memory outside of a small heap,
 * which V8 takes for growth of 1.3 to 2 times in no time. Measured, packed records: 46 full collections of the main thread to 12 for
 * 600,000 transactions, 14.0 to 10.2 µs of CPU a transaction in threads of V8 and ours, and 125 MB more memory.
 */
export const NODE_FLAGS = ["--max-semi-space-size=64", "--interrupt-budget=500000", "--heap-growing-percent=300"];

/**
 * What else it needs to know before it starts. Of libuv's threads each Kafka consumer takes one while it waits for records, up to 0.1 s: the
 * stream's, one for each topic that is followed beside it, and that of live streams. With libuv's own 4 every other call, the commit of a
 * transaction above all, stood in line behind them.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export const nodeEnvironment = (env) => ({ UV_THREADPOOL_SIZE: "16", ...env });
