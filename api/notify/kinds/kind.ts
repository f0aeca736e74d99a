import type { z } from "zod";
import type { Mailer } from "../mailer.ts";
import type { Message, Receipt } from "../message.ts";
import type { Outbound } from "../outbound.ts";

/** What a channel can be: a service that messages are given to. */
export interface Kind<Settings> {
  readonly settings: z.ZodType<Settings>;
  /** Members that are encrypted at rest and never shown. */
  readonly secrets: readonly (keyof Settings & string)[];
  /** Who gets each message: one, or several addresses of mail. */
  recipients(settings: Settings): readonly string[];
  /** @throws SendError when it did not get through */
  send(message: Message, settings: Settings, recipient: string, io: Io): Promise<Receipt>;
}

export interface Io {
  readonly outbound: Outbound;
  /** undefined: no mail server is configured. */
  readonly mailer: Mailer | undefined;
  readonly now: () => Date;
}

/** Texts of services have limits of their own: what is over is left out, and said. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
