/** `weir notify …`: where alerts are told, and what became of each message, of a running Weir, over its API. */
import type { Command } from "commander";
import { type ApiCommands, defineApiCommands } from "./apiCommands.ts";
import { addChannelCommand } from "./notify/add.ts";
import { channelsCommand, removeChannelCommand, testChannelCommand } from "./notify/channels.ts";
import { deliveriesCommand, redeliverCommand } from "./notify/deliveries.ts";
import { previewCommand } from "./notify/preview.ts";

const COMMANDS: ApiCommands = {
  list: { description: "the channels: where alerts are told, and what each hears of", define: channelsCommand },
  add: { description: "tell alerts somewhere: what comes from then on", define: addChannelCommand },
  preview: { description: "what templates make of an example", define: previewCommand },
  test: { description: "send a channel a test message, and say what became of it", define: testChannelCommand },
  remove: { description: "remove a channel, with all that it was to be told", define: removeChannelCommand },
  deliveries: {
    description: "what channels were told, and what became of it; the last first",
    define: deliveriesCommand,
  },
  redeliver: { description: "send a message again, with its id", define: redeliverCommand },
};

export const notifyCommand = (notify: Command): void => defineApiCommands(notify, COMMANDS);
