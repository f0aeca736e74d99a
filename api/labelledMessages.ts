/** Fills in the amounts and addresses that messages have marks of. */
import { ControlUnavailable } from "../engine/control/errors.ts";
import { bundledLabel } from "../engine/label/bundled.ts";
import { keyOf, type Label } from "../engine/label/label.ts";
import type { LabelStore } from "../engine/label/labels.ts";
import { markedAddresses, renderMessage } from "../engine/label/message.ts";
import type { Log } from "../engine/ops/log.ts";
import { logSeldom } from "../engine/ops/logSeldom.ts";

export interface Message {
  readonly chainId: number;
  /** As it is stored. */
  readonly message: string;
}

export type MessageReader = (messages: readonly Message[]) => Promise<string[]>;

/** Labels of addresses by `keyOf` them. While the control store is away, those that everybody has: what is shown is worth more than a name in it. */
export type LabelFinder = (
  wanted: ReadonlyMap<string, Pick<Label, "chainId" | "address">>,
) => Promise<Map<string, Label>>;

export function createLabelFinder(labels: Pick<LabelStore, "find">, log: Log): LabelFinder {
  return async (wanted) => {
    try {
      return await labels.find([...wanted.values()]);
    } catch (error) {
      if (!(error instanceof ControlUnavailable)) throw error;
      logSeldom(log, "warn", { event: "labels_unreadable", reason: error.message }, "Cannot read users' labels");
      return new Map([...wanted].flatMap(([key, of]) => [[key, bundledLabel(of)] as const].filter(isKnown)));
    }
  };
}

export function createMessageReader(labels: Pick<LabelStore, "find">, log: Log): MessageReader {
  const find = createLabelFinder(labels, log);
  return async (messages) => {
    const wanted = new Map<string, Pick<Label, "chainId" | "address">>();
    for (const { chainId, message } of messages)
      for (const address of markedAddresses(message)) wanted.set(keyOf({ chainId, address }), { chainId, address });
    if (wanted.size === 0) return messages.map(({ message }) => message);
    const found = await find(wanted);
    return messages.map(({ chainId, message }) =>
      renderMessage(message, (address) => found.get(keyOf({ chainId, address }))),
    );
  };
}

const isKnown = (entry: readonly [string, Label | undefined]): entry is readonly [string, Label] =>
  entry[1] !== undefined;
