/** For `weir user` and `weir key`: who can reach the control store needs no login, as the first administrator cannot have one. */
import { userInfo } from "node:os";
import { createKeyStore, type KeyStore } from "../access/keys.ts";
import { createUserStore, type UserStore } from "../access/users.ts";
import { migrateControl } from "../control/migrate.ts";
import { UserError } from "../ops/errors.ts";
import { loadConfiguration } from "./configuration.ts";
import { openControlOnly } from "./store.ts";

export interface AccessStores {
  readonly users: UserStore;
  readonly keys: KeyStore;
  /** For the audit log. */
  readonly by: string;
}

export async function withAccess<T>(work: (stores: AccessStores) => Promise<T>): Promise<T> {
  const control = openControlOnly(loadConfiguration().config);
  try {
    await migrateControl(control);
    const now = () => new Date();
    return await work({ users: createUserStore(control), keys: createKeyStore(control, now), by: cliName() });
  } finally {
    await control.close();
  }
}

function cliName(): string {
  return `cli ${userInfo().username}`;
}

/** @throws UserError */
export async function needUser(users: UserStore, name: string) {
  const user = await users.find(name);
  if (!user) throw new UserError(`Cannot find the user "${name}": there is none`, { next: "npx weir user list" });
  return user;
}
