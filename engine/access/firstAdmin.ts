import type { Access } from "./access.ts";
import { AccessConflict } from "./errors.ts";

/**
 * Adds the administrator that is configured, unless there is a user of that name: a password that was changed since stays changed.
 * @returns whether it was added @throws AccessInvalid, ControlUnavailable
 */
export async function addConfiguredAdmin(
  { users }: Access,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<boolean> {
  if (await users.find(username)) return false;
  try {
    await users.add({ username, password, role: "admin" }, "configuration");
    return true;
  } catch (error) {
    if (error instanceof AccessConflict && (await users.find(username))) return false; // another node was faster
    throw error;
  }
}
