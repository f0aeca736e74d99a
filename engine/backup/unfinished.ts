/** A note in WEIR_DATA that a restore is under way: until it is gone, no command of this host goes on with half of an installation. */
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../ops/config.ts";
import { UserError } from "../ops/errors.ts";
import { replaceFile } from "../ops/replaceFile.ts";

type Data = Pick<Config, "data">;

const noteOf = ({ data }: Data): string => join(data, "restore-unfinished");

export const noteRestore = (config: Data, from: string): Promise<void> => replaceFile(noteOf(config), `${from}\n`);

export const forgetRestore = (config: Data): Promise<void> => rm(noteOf(config), { force: true });

export async function isRestoring(config: Data): Promise<boolean> {
  return access(noteOf(config)).then(
    () => true,
    () => false,
  );
}

/** @throws UserError while a restore is under way, or after one that was interrupted */
export async function checkRestored(config: Data): Promise<void> {
  if (await isRestoring(config))
    throw new UserError(
      `Cannot use "${config.data}": a backup is being restored into it, or that was interrupted, expected a whole installation`,
      { next: "Wait for `weir restore`, or run it again" },
    );
}
