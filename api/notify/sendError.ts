export interface SendErrorDetails {
  /** Will be refused again: the address is wrong, the token is, the channel is gone. */
  readonly permanent?: boolean;
  /** What the other side asked to be given, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** The answer's HTTP or SMTP status, where there was one. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** A message that did not get through. */
export class SendError extends Error {
  override readonly name = "SendError";
  readonly permanent: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(message: string, { permanent = false, retryAfterMs, status, cause }: SendErrorDetails = {}) {
    super(message, { cause });
    this.permanent = permanent;
    this.retryAfterMs = retryAfterMs;
    this.status = status;
  }
}
