import { inject } from "vitest";

/**
 * The address of the broker that all system tests share; the first call starts it (about 4 s).
 * Topics and groups need names of their own: `uniqueName("tx_raw")`.
 */
export async function sharedBrokers(): Promise<string> {
  const response = await fetch(inject("kafkaStarter"));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

let names = 0;

/** `prefix-pid-n`: a topic, group or transactional id that no other test of this run uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${process.pid}-${names++}`;
}
