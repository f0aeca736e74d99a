/**
 * The memory of a rule, installed by the builder in place of AssemblyScript's stub runtime (~lib/rt/stub). There is no
 * garbage collector: what a transaction allocates is gone when the next one begins.
 *
 *     ┌─────────┬──────────────────┬───────────────┬──────────────────────┬──────────┬────────────────────────┐
 *     │ statics │ top-level values │ input: frames │ results so far       │ 4 KiB    │ arena of this          │
 *     │         │ (constants, …)   │ of the batch  │ of the batch         │ headroom │ transaction, ≤ 1 MiB → │
 *     └─────────┴──────────────────┴───────────────┴──────────────────────┴──────────┴────────────────────────┘
 *     0         __heap_base        heapEnd         outBase                outBase + outLength at its beginning
 *
 * The host puts every mutable global back to its value after initialisation before each transaction (all but outLength),
 * so the two borders that a batch moves lie in memory, not in globals. Headroom is what one transaction may write as
 * results; with it and the arena's limit, whether a rule fits its memory does not depend on the batch around it as long
 * as the host keeps input + transactions × 4 KiB under 2.5 MiB of the cap of 4 MiB.
 */
import { AL_MASK, OBJECT, OBJECT_OVERHEAD, BLOCK, BLOCK_OVERHEAD, OBJECT_MAXSIZE } from "rt/common";
import { E_ALLOCATION_TOO_LARGE } from "util/error";

/** Bytes of results that one transaction may write. */
export const HEADROOM: usize = 4096;
/** Bytes that one transaction may allocate. */
export const ARENA_LIMIT: usize = 1 << 20;

const cells = memory.data(8, 8);
// @ts-ignore: decorator
@inline const HEAP_END: usize = 0;
// @ts-ignore: decorator
@inline const OUT_BASE: usize = 4;
// @ts-ignore: decorator
@inline const NO_LIMIT: usize = <usize>-1 >> 1;

/**
 * Next free byte, always 4 below a multiple of 16: a block is its u32 size and then its payload. 0 in a transaction that has not
 * allocated or reported anything yet: most never do, and an arena that begins with the first costs them nothing (5 ns each).
 */
let offset: usize = ((__heap_base + BLOCK_OVERHEAD + AL_MASK) & ~AL_MASK) - BLOCK_OVERHEAD;
/** The arena may not pass this address; 0 before it begins. At initialisation and for the manifest only memory itself is the limit. */
let limit: usize = NO_LIMIT;
/** What outLength was when this transaction's arena began: before its first result. */
let resultsBegin: i32 = 0;
/** Bytes of results in the batch so far: the exported weir_out_length. */
export let outLength: i32 = 0;
/** False while top-level statements run. */
let running: bool = false;

function align(address: usize): usize {
  return (address + AL_MASK) & ~AL_MASK;
}

/** Makes memory reach `end`, by whole pages of 64 KiB. */
function reach(end: usize): void {
  const size = <usize>memory.size() << 16;
  if (end <= size) return;
  if (memory.grow(<i32>((end - size + 0xffff) >> 16)) < 0) throw new Error("Cannot grow the memory of the rule: it is at its cap");
}

/** After the rule's top-level statements: what they allocated stays. */
export function endInitialisation(): void {
  const end = align(offset);
  store<usize>(cells, end, HEAP_END);
  store<usize>(cells, end, OUT_BASE);
  running = true;
  offset = 0;
  limit = 0;
}

/** For the manifest: what it allocates goes behind the top-level values, as far as memory reaches. */
export function beginManifest(): void {
  offset = load<usize>(cells, HEAP_END) + AL_MASK + 1 - BLOCK_OVERHEAD;
  limit = NO_LIMIT;
}

export function isRunning(): bool {
  return running;
}

/** Input area of at least `bytes`, at a multiple of 16; results go behind it. */
export function reserve(bytes: usize): usize {
  if (bytes > 1 << 28) throw new Error("Cannot reserve an input area: expected at most 256 MiB");
  const input = load<usize>(cells, HEAP_END);
  const outBase = align(input + bytes);
  reach(outBase + HEADROOM);
  store<usize>(cells, outBase, OUT_BASE);
  outLength = 0;
  return input;
}

export function outBase(): usize {
  return load<usize>(cells, OUT_BASE);
}

/** Before the first allocation or result of a transaction: an empty arena behind the results. */
export function beginArena(): void {
  if (limit != 0) return;
  const begin = align(outBase() + outLength + HEADROOM);
  offset = begin + AL_MASK + 1 - BLOCK_OVERHEAD;
  limit = begin + ARENA_LIMIT;
  resultsBegin = outLength;
  reach(offset);
}

/** Bytes of results that this transaction may still write. */
export function resultsLeft(): i32 {
  return <i32>HEADROOM - (outLength - resultsBegin);
}

/** Counts `bytes` more of results as written; a multiple of 8. */
export function commitResult(bytes: i32): void {
  outLength += bytes;
}

// From here on: what AssemblyScript calls. Memory may be dirty from an earlier transaction: constructors write every field,
// and the standard library clears its buffers itself under the stub runtime.

// @ts-ignore: decorator
@unsafe @global
export function __alloc(size: usize): usize {
  if (size > OBJECT_MAXSIZE) throw new Error(E_ALLOCATION_TOO_LARGE);
  const payload = ((size + BLOCK_OVERHEAD + AL_MASK) & ~AL_MASK) - BLOCK_OVERHEAD;
  let pointer = offset + BLOCK_OVERHEAD;
  let end = pointer + payload;
  if (end > limit) {
    beginArena();
    pointer = offset + BLOCK_OVERHEAD;
    end = pointer + payload;
    if (end > limit) throw new Error("Cannot allocate: expected at most 1 MiB for one transaction");
  }
  reach(end);
  changetype<BLOCK>(offset).mmInfo = payload;
  offset = end;
  return pointer;
}

// @ts-ignore: decorator
@unsafe @global
export function __realloc(pointer: usize, size: usize): usize {
  const old = changetype<BLOCK>(pointer - BLOCK_OVERHEAD).mmInfo;
  if (size <= old) return pointer;
  if (pointer + old == offset) {
    offset = pointer - BLOCK_OVERHEAD; // the last block grows where it is
    return __alloc(size);
  }
  const moved = __alloc(max<usize>(size, old << 1));
  memory.copy(moved, pointer, old);
  return moved;
}

// @ts-ignore: decorator
@unsafe @global
export function __free(pointer: usize): void {
  if (pointer + changetype<BLOCK>(pointer - BLOCK_OVERHEAD).mmInfo == offset) offset = pointer - BLOCK_OVERHEAD;
}

// @ts-ignore: decorator
@unsafe @global
export function __new(size: usize, id: u32): usize {
  if (size > OBJECT_MAXSIZE) throw new Error(E_ALLOCATION_TOO_LARGE);
  const block = __alloc(OBJECT_OVERHEAD + size);
  const object = changetype<OBJECT>(block - BLOCK_OVERHEAD);
  object.gcInfo = 0;
  object.gcInfo2 = 0;
  object.rtId = id;
  object.rtSize = <u32>size;
  return block + OBJECT_OVERHEAD;
}

// @ts-ignore: decorator
@unsafe @global
export function __renew(pointer: usize, size: usize): usize {
  if (size > OBJECT_MAXSIZE) throw new Error(E_ALLOCATION_TOO_LARGE);
  const moved = __realloc(pointer - OBJECT_OVERHEAD, OBJECT_OVERHEAD + size) + OBJECT_OVERHEAD;
  changetype<OBJECT>(moved - OBJECT_OVERHEAD - BLOCK_OVERHEAD).rtSize = <u32>size;
  return moved;
}

// @ts-ignore: decorator
@unsafe @global
export function __link(parent: usize, child: usize, multiple: bool): void {}

// @ts-ignore: decorator
@unsafe @global
export function __pin(pointer: usize): usize {
  return pointer;
}

// @ts-ignore: decorator
@unsafe @global
export function __unpin(pointer: usize): void {}

// @ts-ignore: decorator
@unsafe @global
function __visit(pointer: usize, cookie: u32): void {}

// @ts-ignore: decorator
@unsafe @global
export function __collect(): void {}
