/** What the protocols of earlier systems have in common: who speaks which is a matter of the path. */
import { z } from "zod";
import { bareMessage, type Channel, type LiveEvent } from "../event.ts";
import type { Passes } from "../hub.ts";

/** What a protocol may do with its connection. */
export interface Session {
  readonly connectionId: string;
  send(message: object): void;
  /** Again for a channel: the new filters take the place of the old. */
  subscribe(channel: Channel, passes: Passes): void;
  unsubscribe(channel: Channel): void;
}

export interface Protocol {
  /** Types of messages that it takes, beside `ping` and `auth`, which all do. */
  readonly types: readonly string[];
  /** What is said first, and subscribed to from the beginning. */
  begin(session: Session): void;
  /** @returns what is wrong with the message, and how it must be, as the client is told; undefined: it was done */
  receive(type: string, message: Readonly<Record<string, unknown>>, session: Session): string | undefined;
  encode(event: LiveEvent): Buffer;
}

export const envelope = ({ message }: LiveEvent): Buffer => message;
export const bare = bareMessage;

/** `'a', 'b' or 'c'` */
export const anyOf = (names: readonly string[]): string => {
  const quoted = names.map((name) => `'${name}'`);
  return quoted.length < 2 ? (quoted[0] ?? "") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
};

/** What somebody sent, short enough to be said back. */
export const shown = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing")).slice(0, 64); // biome-ignore format: one line

export const recordSchema = z.record(z.string(), z.unknown());
