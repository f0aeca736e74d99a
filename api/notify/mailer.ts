import { createTransport } from "nodemailer";
import { SendError } from "./sendError.ts";

export interface Mail {
  /** Its Message-ID is made of this: a mail that is sent twice can be told. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The id of a mail that this one answers. */
  readonly inReplyTo: string | undefined;
}

/** Gives a mail to the server; answers what that said. @throws SendError */
export type Mailer = (mail: Mail) => Promise<string>;

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, as on port 465; else STARTTLS where it is offered. */
  readonly secure: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** `Weir <alerts@example.com>` */
  readonly from: string;
}

const TIMEOUT_MS = 20_000;

export function createMailer({ host, port, secure, username, password, from }: MailServer): Mailer {
  const transport = createTransport({
    ...{ host, port, secure, connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? "" } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const messageId = (id: string): string => `<${id}@weir>`;

  return async ({ id, to, subject, text, inReplyTo }) => {
    const thread = inReplyTo === undefined ? {} : { inReplyTo: messageId(inReplyTo), references: messageId(inReplyTo) };
    const mail = { from, to, subject: subject.replace(/[\r\n]+/g, " "), text, messageId: messageId(id), ...thread };
    try {
      return (await transport.sendMail(mail)).response;
    } catch (error) {
      const { responseCode: status, message } = error as Error & { responseCode?: number };
      throw new SendError(`Cannot send mail to "${to}" by ${host}:${port}: ${message}, expected it to be taken`, {
        permanent: status !== undefined && status >= 500,
        ...(status === undefined ? {} : { status }),
        cause: error,
      });
    }
  };
}
