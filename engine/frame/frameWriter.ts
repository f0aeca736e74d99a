import { MAX_RECORD_BYTES } from "./schema.ts";

/** Frames back to back in one growable buffer; each starts at a multiple of 8. */
export interface FrameWriter {
  /** The frames, valid up to `end`. Replaced when it grows: read it again after each decode. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same memory in words. */
  u32: Uint32Array<ArrayBuffer>;
  end: number;
  /** Where each frame begins, valid up to `count`. */
  offsets: Uint32Array<ArrayBuffer>;
  /** Each frame's number within its record. */
  n: Uint32Array<ArrayBuffer>;
  count: number;
  /** Empties the writer and keeps its memory. */
  reset(): void;
  /** Makes sure that `size` bytes fit behind `from`; bytes before `from` are kept. */
  reserve(from: number, size: number): void;
  /** Takes the frame of `size` bytes that stands at `end`. */
  commit(size: number, n: number): void;
  /** Copies frames behind the last one, each the only one of its record. @param starts where each begins in `frames` */
  append(frames: Uint8Array, starts: Uint32Array): void;
}

/** 1 GiB: far over any batch, and positions stay small integers for the compiler. */
const MAX_BYTES = 2 ** 30;

export function createFrameWriter({ capacity = MAX_RECORD_BYTES, frames = 4096 } = {}): FrameWriter {
  const bytes = new Uint8Array(Math.ceil(capacity / 8) * 8);
  return {
    bytes,
    u32: new Uint32Array(bytes.buffer),
    end: 0,
    offsets: new Uint32Array(frames),
    n: new Uint32Array(frames),
    count: 0,
    reset() {
      this.end = 0;
      this.count = 0;
    },
    reserve(from, size) {
      const needed = from + size;
      if (needed <= this.bytes.length) return;
      if (needed > MAX_BYTES) {
        throw new Error(`Cannot grow frames to "${needed}" bytes: expected at most ${MAX_BYTES}. Use smaller batches`);
      }
      const grown = new Uint8Array(Math.min(MAX_BYTES, Math.ceil((needed * 2) / 8) * 8));
      grown.set(this.bytes.subarray(0, from));
      this.bytes = grown;
      this.u32 = new Uint32Array(grown.buffer);
    },
    commit(size, n) {
      if (this.count === this.offsets.length) {
        this.offsets = doubled(this.offsets);
        this.n = doubled(this.n);
      }
      this.offsets[this.count] = this.end;
      this.n[this.count] = n;
      this.count++;
      this.end += size;
    },
    append(frames, starts) {
      const { end, count } = this;
      this.reserve(end, frames.length);
      this.bytes.set(frames, end);
      while (count + starts.length > this.offsets.length) {
        this.offsets = doubled(this.offsets);
        this.n = doubled(this.n);
      }
      const { offsets } = this;
      for (let i = 0; i < starts.length; i++) offsets[count + i] = end + starts[i]!;
      this.n.fill(0, count, count + starts.length);
      this.count += starts.length;
      this.end += frames.length;
    },
  };
}

function doubled(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(16, numbers.length * 2));
  grown.set(numbers);
  return grown;
}
