import type { Message as NativeMessage } from "@confluentinc/kafka-javascript";

/** A record as the binding gives it: no copy, no wrapper. `headers` come as a list of one-key objects. */
export type Message = NativeMessage & { value: Buffer | null; key: Buffer | null; timestamp: number };
