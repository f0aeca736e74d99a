/** Lists that a rule names, for commands that run it: out of files, or as they are in the control store. */
import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../ops/errors.ts";
import type { LiveRule } from "../../rules/liveRule.ts";
import { type GivenLists, makeLists } from "../../world/givenLists.ts";
import type { Lists } from "../../world/world.ts";
import { storedLists } from "./namedRule.ts";

/** Files by the name of a list. */
export type ListFiles = Readonly<Record<string, string>>;

export const withListOption = (command: Command, otherwise: string): Command =>
  command.option(
    "--list <name=file>",
    `a list that the rule names, an entry a line (default: ${otherwise}); may be repeated`,
    (text: string, before: ListFiles = {}): ListFiles => {
      const at = text.indexOf("=");
      if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Expected NAME=FILE.");
      return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
    },
  );

/** @throws UserError when a file cannot be read */
export async function readLists(files: ListFiles = {}): Promise<GivenLists> {
  const given: Record<string, Uint8Array> = {};
  for (const [name, file] of Object.entries(files))
    given[name] = await readFile(file).catch((error: Error) => {
      throw new UserError(`Cannot read the list "${name}": ${error.message}`);
    });
  return given;
}

/** Out of files alone. @throws UserError when the rule names one that is not given */
export async function listsOfFiles({ name: rule, manifest }: LiveRule, files: ListFiles = {}): Promise<Lists> {
  const missing = (manifest.lists ?? []).find(({ name }) => !Object.hasOwn(files, name));
  if (missing)
    throw new UserError(`Cannot run the rule "${rule}": it names the list "${missing.name}", expected a file of it`, {
      next: `--list ${missing.name}=FILE, an entry a line; an empty file is an empty list`,
    });
  return makeLists(rule, manifest.lists ?? [], await readLists(files));
}

/** Out of files, and what they do not have out of the control store. @throws UserError when it is not there */
export async function listsOfStore(rule: LiveRule, files: ListFiles = {}): Promise<Lists> {
  const { lists = [] } = rule.manifest;
  const given = await makeLists(rule.name, lists, await readLists(files));
  const others = lists.filter(({ name }) => !Object.hasOwn(files, name));
  return others.length === 0 ? given : new Map([...given, ...(await storedLists(rule, others))]);
}
