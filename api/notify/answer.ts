import type { HttpAnswer } from "./outbound.ts";
import { SendError } from "./sendError.ts";

/** A day: who asks for longer is asked again then. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * What an HTTP status says of a message, as Standard Webhooks has it: 2xx is delivered and a redirect is not; 404 and 410 mean that the address is gone,
 * 400, 401, 403, 405 and 413 to 422 that it will be refused again; anything else is worth another try.
 *
 * @param to for the error, without secrets
 * @param retryAfter what the body says, in seconds, for services that say it there
 * @throws SendError unless the message was delivered
 */
export function checkAnswer({ status, headers, body }: HttpAnswer, to: string, retryAfter?: number): void {
  if (status >= 200 && status < 300) return;
  const said = body.trim() ? `: ${body.trim().slice(0, 200)}` : "";
  const permanent =
    (status >= 300 && status < 400) ||
    [400, 401, 403, 404, 405, 410].includes(status) ||
    (status > 412 && status < 423);
  throw new SendError(`Cannot send to ${to}: it answers ${status}${said}, expected 200 to 299`, {
    permanent,
    status,
    retryAfterMs: permanent ? undefined : retryAfterMs(headers["retry-after"], retryAfter),
  });
}

/** Of the header, seconds or a date. */
function retryAfterMs(header: string | undefined, body: number | undefined): number | undefined {
  const seconds = body ?? (header === undefined ? Number.NaN : Number(header));
  const ms = Number.isNaN(seconds) ? Date.parse(header ?? "") - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}
