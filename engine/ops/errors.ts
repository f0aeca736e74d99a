/**
 * Errors that someone other than us must act on, by who that is. Everything else that is thrown is a bug of ours.
 *
 *     UserError           the input was refused, or there is a finding       exit 1
 *     UsageError          the command line is wrong                          exit 2
 *     ConfigError         the configuration is wrong (config.ts)             exit 3
 *     ServiceUnavailable  a service we need does not answer                  exit 4
 *     Interrupted         somebody stopped it (Ctrl-C) before its end        exit 130
 *     anything else       a bug                                              exit 70
 */
export const EXIT = { ok: 0, refused: 1, usage: 2, config: 3, unreachable: 4, bug: 70, interrupted: 130 } as const;

export interface ErrorDetails {
  /** file, line, topic and offset, address of the service, … */
  readonly where?: string;
  /** what the reader can do about it, as a sentence or a command */
  readonly next?: string;
  readonly cause?: unknown;
}

/** @param message `Cannot <action> "<value>": <current state>, expected <wanted state>`, without a full stop */
export class WeirError extends Error {
  readonly exitCode: number = EXIT.bug;
  readonly where: string | undefined;
  readonly next: string | undefined;

  constructor(message: string, { where, next, cause }: ErrorDetails = {}) {
    super(message, { cause });
    this.name = new.target.name;
    this.where = where;
    this.next = next;
  }
}

export class UserError extends WeirError {
  override readonly exitCode = EXIT.refused;
}

export class UsageError extends WeirError {
  override readonly exitCode = EXIT.usage;
}

export class ServiceUnavailable extends WeirError {
  override readonly exitCode = EXIT.unreachable;
}

export class Interrupted extends WeirError {
  override readonly exitCode = EXIT.interrupted;
}

/**
 * Errors of rooms that know nothing of this one, by their name: the store's (clickhouse/storeErrors.ts) and Kafka's
 * (engine/kafka/errors.ts), where `kind` says who must act.
 */
const FOREIGN: Record<string, number> = {
  StoreUnavailable: EXIT.unreachable,
  StoreRefused: EXIT.refused,
  "KafkaError retry": EXIT.unreachable,
  "KafkaError configuration": EXIT.config,
};

/** @returns the exit code that the contract fixes for this error */
export function exitCodeOf(error: unknown): number {
  if (error instanceof WeirError) return error.exitCode;
  if (!(error instanceof Error)) return EXIT.bug;
  const { kind } = error as { kind?: unknown };
  return FOREIGN[kind === undefined ? error.name : `${error.name} ${kind}`] ?? EXIT.bug;
}

/**
 * An error as a person reads it: what, where, next step. A stack only when it is a bug, or asked for.
 *
 *     weir: Cannot read "a.ndjson": no such file, expected a recording
 *       where  line 12
 *       next   npx weir record --help
 */
export function describeError(error: unknown, { stack = false }: { stack?: boolean } = {}): string {
  const known = exitCodeOf(error) !== EXIT.bug;
  const { where, next } = (error ?? {}) as ErrorDetails;
  const message = error instanceof Error ? error.message || error.name : String(error);
  const lines = [known ? `weir: ${message}` : `weir: A bug: ${message}`];
  if (known && where) lines.push(`  where  ${where}`);
  if (known && next) lines.push(`  next   ${next}`);
  if (!known) lines.push("  next   Please report it with the stack below and what you did");
  if ((stack || !known) && error instanceof Error && error.stack) lines.push(error.stack);
  for (let cause = known || stack ? causeOf(error) : undefined; cause; cause = causeOf(cause))
    lines.push(`  cause  ${cause instanceof Error ? cause.message : String(cause)}`);
  return stripCredentials(lines.join("\n"));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** Replaces user and password in every URL of a text, so that it can be logged: `http://***@host/`. */
export function stripCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>]*@/gi, "$1***@");
}

/** What was thrown, in words, whatever it is. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
