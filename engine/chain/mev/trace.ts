import { extraText, u32At } from "../../frame/readFrame.ts";
import { OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { internalCallsOf } from "../calls/internalCalls.ts";
import type { Address } from "../swap.ts";

/**
 * What contracts sent an account within a transaction, in wei, from the record's optional member `trace`: its receipt does not show it.
 * Calls under one that failed did not happen; the transaction's own call is left out, since its value is no secret.
 *
 * @param frame byte offset
 * @returns undefined: the record has no trace, or more calls than we look at
 */
export function tracedValueTo(view: BlockView, frame: number, account: Address): bigint | undefined {
  if (u32At(view, frame + OFFSET.extraLength) === 0) return undefined;
  const found = internalCallsOf(extraText(view, frame));
  if (!found || found.truncated) return undefined;
  const failed: boolean[] = [];
  let sum = 0n;
  for (const [i, { parent, type, to, value, error }] of found.calls.entries()) {
    failed.push(error !== null || (failed[parent] ?? false));
    const pays = type === "CALL" || type === "SELFDESTRUCT";
    if (i > 0 && pays && to === account && !failed[i]) sum += value;
  }
  return sum;
}
