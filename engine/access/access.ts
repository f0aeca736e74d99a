/** Users, their sessions and keys, and the tokens that stand for them: all that the API needs to know who asks. */
import type { Control } from "../control/open.ts";
import { createKeyStore, type KeyStore } from "./keys.ts";
import { logIn } from "./login.ts";
import { createSessionStore, type SessionStore } from "./sessions.ts";
import { createTokens, type TokenIssuer } from "./tokens.ts";
import type { User } from "./user.ts";
import { createUserStore, type UserStore } from "./users.ts";

export interface Access {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly keys: KeyStore;
  readonly tokens: TokenIssuer;
  /** @throws LoginRefused, LoginLocked, ControlUnavailable, ServiceUnavailable */
  logIn(username: string, password: string): Promise<User>;
  readonly now: () => Date;
}

/** @param secret signs tokens: JWT_SECRET, or what keptSecret() gives  @param now for tests */
export function createAccess({
  control,
  secret,
  now = () => new Date(),
}: {
  control: Control;
  secret: string;
  now?: () => Date;
}): Access {
  return {
    users: createUserStore(control),
    sessions: createSessionStore(control, now),
    keys: createKeyStore(control, now),
    tokens: createTokens(secret, now),
    logIn: (username, password) => logIn(control, { username, password, now: now() }),
    now,
  };
}
