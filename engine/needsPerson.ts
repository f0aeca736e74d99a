import { ControlUnavailable } from "./control/errors.ts";
import { KafkaError } from "./kafka/errors.ts";
import { WeirError } from "./ops/errors.ts";

/**
 * Broker's code for a second member with our instance id: one of the two must go. A producer that was fenced is another matter:
 * frozen for longer than its transaction may last, it begins anew.
 */
const INSTANCE_TAKEN = 82;

/**
 * Whether a broken stream stays broken until somebody does something. What is away comes back by itself, the control store too: a
 * range from before a restart may ask it for its rules while it is being started again.
 */
export function needsPerson(error: unknown): boolean {
  if (error instanceof ControlUnavailable) return false;
  if (error instanceof KafkaError) return error.kind === "configuration" || error.code === INSTANCE_TAKEN;
  return error instanceof WeirError;
}
