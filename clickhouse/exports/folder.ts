import { existsSync } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../engine/ops/errors.ts";
import { makeFolder } from "../../engine/ops/makeFolder.ts";
import { replaceFile } from "../../engine/ops/replaceFile.ts";
import type { Place } from "./place.ts";

/**
 * A local folder. Files are made in a hidden folder inside it, on the same file system, so that they can be renamed.
 * @throws UserError when it cannot be written to
 */
export async function openFolder(path: string): Promise<Place> {
  const folder = resolve(path);
  await makeFolder(folder).catch((error: Error) => {
    throw cannotWrite(folder, error);
  });
  return {
    name: folder,
    staging: (dataset) => join(folder, `.weir-${dataset}`),
    list: async (prefix) => (await readdir(folder)).filter((name) => name.startsWith(prefix)),
    read: (name) => readFile(join(folder, name), "utf8"),
    async take() {},
    async publish(parts, staging, manifest) {
      for (const { file } of parts) {
        const target = join(folder, file);
        const staged = join(staging, stagedName(file));
        if (!existsSync(staged) && existsSync(target)) continue; // it was renamed before a crash
        await makeFolder(dirname(target));
        await rename(staged, target);
      }
      await replaceFile(join(folder, manifest.name), manifest.text);
    },
  };
}

/** Of a part in the folder where it is made: without its partition's folder. */
export const stagedName = (file: string): string => file.replaceAll("/", "__");

/** What a file system says when it refuses, as the user's matter. @param action as in "Cannot <action> <path>" */
export function cannotWrite(path: string, error: unknown, action = "export to"): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy: Readonly<Record<string, readonly [is: string, wants: string, next: string]>> = {
    ENOSPC: ["the disk is full", "room for the files", "Make room and run it again: it goes on with the next file"],
    EDQUOT: ["the quota is used up", "room for the files", "Make room and run it again: it goes on with the next file"],
    EIO: [
      "the file system took only some of it",
      "all to be taken",
      "Look at the disk and run it again: it goes on with the next file",
    ],
    EACCES: ["it may not be written to", "a folder of ours", "Choose another folder, or change its rights"],
    EPERM: ["it may not be written to", "a folder of ours", "Choose another folder, or change its rights"],
    EROFS: ["its file system is read-only", "one that can be written to", "Choose another folder"],
    ENOENT: ["it is not there, and cannot be made", "a folder of ours", "Choose another folder"],
    ENOTDIR: ["a part of the path is a file", "a folder", "Choose another folder"],
    EEXIST: ["it is a file", "a folder", "Choose another folder"],
  };
  const [is, wants, next] = remedy[code ?? ""] ?? [];
  if (is === undefined) return error instanceof Error ? error : new Error(message);
  return new UserError(`Cannot ${action} "${path}": ${is}, expected ${wants}`, { next: next!, cause: error });
}
