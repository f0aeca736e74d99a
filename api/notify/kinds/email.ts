import { z } from "zod";
import { SendError } from "../sendError.ts";
import type { Kind } from "./kind.ts";

const settings = z.strictObject({ to: z.array(z.email().max(254)).min(1).max(50) });

/** Mail by the server that SMTP_HOST names, a message a recipient. A retraction answers the message that it takes back. */
export const email: Kind<z.infer<typeof settings>> = {
  settings,
  secrets: [],
  recipients: ({ to }) => to,
  async send({ id, title, text, edits }, _settings, recipient, { mailer }) {
    if (!mailer)
      throw new SendError(`Cannot send mail to "${recipient}": SMTP_HOST is not set, expected a mail server`, {
        permanent: true,
      });
    const answer = await mailer({ id, to: recipient, subject: title, text, inReplyTo: edits });
    return { ref: id, answer };
  },
};
