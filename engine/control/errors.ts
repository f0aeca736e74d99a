import { ServiceUnavailable, stripCredentials } from "../ops/errors.ts";

/** The control store cannot be reached: nothing is wrong with what was asked, and asking again later may help. */
export class ControlUnavailable extends ServiceUnavailable {}

/** connection exception, insufficient resources, operator intervention: SQLSTATE's classes that pass. 25P03, 25P04: time-outs. */
const PASSING = /^(08|53|57P|25P0[34])/;
/** What sockets say before anything was sent. */
const NEVER_CONNECTED = new Set(["ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

interface Failure {
  readonly code?: string;
  /** Of errors that the server sent. */
  readonly severity?: string;
  readonly message: string;
}

/** Drizzle wraps what pg throws, Node what several addresses of one name threw. */
function rootOf(error: unknown): Failure {
  const { cause, errors } = error as { cause?: unknown; errors?: unknown[] };
  if ((error as Error).name === "AggregateError" && errors?.length) return rootOf(errors[0]);
  const wrapped = error instanceof Error && cause instanceof Error && error.message.startsWith("Failed query:");
  return wrapped ? rootOf(cause) : (error as Failure);
}

/** Whether the store, not the statement, is why it failed. */
export function isUnavailable(error: unknown): boolean {
  const { code = "", severity, message } = rootOf(error);
  if (severity !== undefined) return PASSING.test(code);
  return /^E[A-Z]+$|^ENOENT$/.test(code) || LOST.test(message);
}

/** pg's own words, which have no codes. */
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered a connection error)|Cannot use a pool after calling end)/;

export function wasNotSent(error: unknown): boolean {
  const { code = "", message } = rootOf(error);
  return NEVER_CONNECTED.has(code) || /timeout exceeded when trying to connect|not queryable/.test(message);
}

/** Ours for what passes; everything else as it is, without Drizzle's wrapping, whose message holds the parameters. */
export function controlError(error: unknown): unknown {
  const root = rootOf(error);
  if (!isUnavailable(error)) return root;
  return new ControlUnavailable(`Cannot reach the control store: ${stripCredentials(root.message)}`, {
    next: "Check DATABASE_URL and that PostgreSQL runs; nothing was changed unless the connection broke at the very end",
  });
}
