/** ABI v1 of engine/sandbox/README.md, as the generated entry file exports it. Rule authors never import this. */
import { beginManifest, outBase, reserve } from "rt/stub";
import { manifestJson } from "./manifest";

export { outLength as weir_out_length, endInitialisation } from "rt/stub";
export { setDefaultName, setFacts } from "./manifest";
export { Tx } from "./tx";

export const weir_abi: i32 = 1;

export function weir_manifest(): usize {
  beginManifest();
  return changetype<usize>(manifestJson());
}

export function weir_reserve(bytes: i32): usize {
  return reserve(<u32>bytes);
}

export function weir_out(): usize {
  return outBase();
}
