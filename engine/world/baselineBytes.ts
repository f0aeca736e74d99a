/**
 * Baselines as they are kept, a version as a whole, 44 bytes a row, little-endian:
 *
 *     f64 chain id │ u32 kind, its place in BASELINE_KINDS │ u32 samples │ 20 bytes key, a selector's last 16 are 0 │ f32 median │ f32 MAD
 *
 * What is kept decides: a median has the 24 bits of an f32 for whoever made the version, too.
 */
import { BASELINE_BYTES, BASELINE_KINDS, type BaselineRow } from "./baselines.ts";

const ROW = 44;
const KEY = 16;
const [KIND, SAMPLES, MEDIAN, MAD] = [8, 12, 36, 40];

export function packBaselines(rows: readonly BaselineRow[]): Uint8Array {
  const bytes = new Uint8Array(ROW * rows.length);
  const view = new DataView(bytes.buffer);
  for (const [i, { chainId, kind, key, samples, median, mad }] of rows.entries()) {
    const at = ROW * i;
    view.setFloat64(at, chainId, true);
    view.setUint32(at + KIND, BASELINE_KINDS.indexOf(kind), true);
    view.setUint32(at + SAMPLES, samples, true);
    bytes.set(key, at + KEY);
    view.setFloat32(at + MEDIAN, median, true);
    view.setFloat32(at + MAD, mad, true);
  }
  return bytes;
}

export function unpackBaselines(bytes: Uint8Array): BaselineRow[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / ROW }, (_, i) => {
    const at = ROW * i;
    const kind = BASELINE_KINDS[view.getUint32(at + KIND, true)]!;
    return {
      ...{ chainId: view.getFloat64(at, true), kind, samples: view.getUint32(at + SAMPLES, true) },
      key: bytes.slice(at + KEY, at + KEY + BASELINE_BYTES[kind]),
      ...{ median: view.getFloat32(at + MEDIAN, true), mad: view.getFloat32(at + MAD, true) },
    };
  });
}
