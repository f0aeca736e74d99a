/** `weir owner …`: who has rules, and how many of them and how much fuel each may have, of a running Weir, over its API. */
import type { Command } from "commander";
import { type ApiCommands, defineApiCommands } from "./apiCommands.ts";
import { quotaCommand } from "./owner/quota.ts";
import { ownersCommand } from "./owner/show.ts";

const COMMANDS: ApiCommands = {
  list: { description: "owners of rules: what they may have, have, and have cost", define: ownersCommand },
  quota: { description: "give an owner other limits than are configured", define: quotaCommand },
};

export const ownerCommand = (owner: Command): void => defineApiCommands(owner, COMMANDS);
