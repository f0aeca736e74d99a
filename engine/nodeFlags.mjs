/**
 * Flags of Node that the engine runs with.
 *
 * Functions are optimised when they have run for 500 KB of bytecode, not 132: a first replay spent a quarter of its CPU on
 * optimising, for each thread anew, what was not hot. 5.4 to 3.8 s for the bundled recording; the same rate in the long run.
 *
 * The heap may grow fourfold between full collections, V8's own most: batches and blocks are memory outside of a small heap,
 * which V8 takes for growth of 1.3 to 2 times in no time. Measured, packed records: 46 full collections of the main thread to 12 for
 * 600,000 transactions, 14.0 to 10.2 µs of CPU a transaction in threads of V8 and ours, and 125 MB more memory.
 */
export const NODE_FLAGS = ["--interrupt-budget=500000", "--heap-growing-percent=300"];

/**
 * What else it needs to know before it starts. Of libuv's threads each Kafka consumer takes one while it waits for records, up to 0.1 s: the
 * stream's, one for each topic that is followed beside it, and that of live streams. With libuv's own 4 every other call, the commit of a
 * transaction above all, stood in line behind them.
 *
 * glibc gives threads arenas of malloc's to themselves, 16 on two cores, and each keeps what its threads once needed: with 4, and V8's own
 * young generation of 16 MiB in place of 64, which paid while records were objects, 10,000 rules at full speed take 910 to 960 MB and not 1,260 to 1,350,
 * real blocks 830 and not 1,120, for the same CPU a transaction.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export const nodeEnvironment = (env) => ({ UV_THREADPOOL_SIZE: "16", MALLOC_ARENA_MAX: "4", ...env });
