import { ControlUnavailable } from "./control/errors.ts";
import { INSTANCE_TAKEN, KafkaError } from "./kafka/errors.ts";
import { WeirError } from "./ops/errors.ts";

/**
 * Whether a broken stream stays broken until somebody does something. What is away comes back by itself, the control store too: a
 * range from before a restart may ask it for its rules while it is being started again.
 */
export function needsPerson(error: unknown): boolean {
  if (error instanceof ControlUnavailable) return false;
  if (error instanceof KafkaError) return error.kind === "configuration" || error.code === INSTANCE_TAKEN;
  return error instanceof WeirError;
}
