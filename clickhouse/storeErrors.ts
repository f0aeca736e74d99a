import { ClickHouseError } from "@clickhouse/client";

/** What both kinds of error know. */
interface StoreErrorFacts {
  /** ClickHouse's error number; undefined when the store could not be asked. */
  readonly code?: number | undefined;
  /** ClickHouse's name of it, or Node's (`ECONNREFUSED`). */
  readonly type?: string | undefined;
}

/** The store cannot do it now: waiting and trying again may help. Whether an insert took place is not known. */
export class StoreUnavailable extends Error implements StoreErrorFacts {
  override readonly name = "StoreUnavailable";
  readonly code: number | undefined;
  readonly type: string | undefined;
  constructor(message: string, facts: StoreErrorFacts = {}) {
    super(message);
    this.code = facts.code;
    this.type = facts.type;
  }
}

/** The store refused, and would refuse the same again. */
export class StoreRefused extends Error implements StoreErrorFacts {
  override readonly name = "StoreRefused";
  readonly code: number | undefined;
  readonly type: string | undefined;
  constructor(message: string, facts: StoreErrorFacts = {}) {
    super(message);
    this.code = facts.code;
    this.type = facts.type;
  }
}

/** Errors of ClickHouse that pass: load, memory, disk, a coordinator or a replica that is away. All others would come again. */
const PASSING = new Set([
  "ABORTED",
  "ALL_CONNECTION_TRIES_FAILED",
  "ALL_REPLICAS_ARE_STALE",
  "ALL_REPLICAS_LOST",
  "CANNOT_ALLOCATE_MEMORY",
  "CANNOT_SCHEDULE_TASK",
  "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
  "DEADLOCK_AVOIDED",
  "FILE_SYSTEM_ERROR",
  "KEEPER_EXCEPTION",
  "MEMORY_LIMIT_EXCEEDED",
  "NETWORK_ERROR",
  "NOT_ENOUGH_SPACE",
  "NO_ACTIVE_REPLICAS",
  "NO_ZOOKEEPER",
  "QUERY_WAS_CANCELLED",
  "RECEIVED_ERROR_TOO_MANY_REQUESTS",
  "SOCKET_TIMEOUT",
  "TABLE_IS_READ_ONLY",
  "TIMEOUT_EXCEEDED",
  "TOO_FEW_LIVE_REPLICAS",
  "TOO_MANY_PARTS",
  "TOO_MANY_SIMULTANEOUS_QUERIES",
  "UNFINISHED",
  "UNKNOWN_STATUS_OF_INSERT",
  "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
]);

/** The connection broke or was never made: the store's process may be gone. */
const BROKEN = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/**
 * Turns what @clickhouse/client throws into StoreUnavailable or StoreRefused: what was tried, then the first line of
 * ClickHouse's message. Mistakes of our own (a TypeError) come back as they are.
 * @param action what was tried: `insert into "alerts"`
 * @param secrets texts that must not be in the message
 */
export function storeError(action: string, error: unknown, secrets: readonly string[]): unknown {
  if (error instanceof StoreUnavailable || error instanceof StoreRefused) return error;
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return error;
  const line = withoutSecrets(error.message.split("\n", 1)[0]!.trim(), secrets);
  if (error instanceof ClickHouseError) {
    const facts = { code: Number(error.code), type: error.type };
    const full = /no space left on device/i.test(error.message);
    const message = `Cannot ${action}: ${line} (${error.type} ${error.code})`;
    return full || PASSING.has(error.type ?? "")
      ? new StoreUnavailable(message, facts)
      : new StoreRefused(message, facts);
  }
  const type = nodeCode(error);
  return new StoreUnavailable(`Cannot ${action}: ${line === "" ? (type ?? "no answer") : line}`, { type });
}

/** The request never reached anybody: it is safe to send it again, whatever it was. */
export const wasNeverSent = (error: unknown): boolean => nodeCode(error) === "ECONNREFUSED";

export const isBrokenConnection = (error: unknown): boolean =>
  BROKEN.has(nodeCode(error) ?? "") || (error instanceof Error && /socket hang up|^aborted$/.test(error.message));

function nodeCode(error: unknown): string | undefined {
  const { code, errors } = error as { code?: unknown; errors?: readonly { code?: string }[] };
  // A name with several addresses fails as an AggregateError.
  return typeof code === "string" && !/^\d+$/.test(code) ? code : errors?.[0]?.code;
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text.replace(/\/\/[^/@\s]*@/g, "//***@");
  for (const secret of secrets) if (secret.length > 0) clean = clean.replaceAll(secret, "***");
  return clean;
}
