import type { Role } from "../../engine/access/roles.ts";

/** Who asks, as far as the API is concerned. */
export interface Principal {
  /** `who` in the audit log, and the owner of what is made: a username, `api token`, `anonymous`, `configured key 1f0c9ab2`. */
  readonly name: string;
  readonly role: Role;
  /** How they showed it. */
  readonly kind: "anonymous" | "token" | "session" | "key" | "certificate";
  /** For the audit log: `session 1f0c…`, `key weir_ab12cd34`; null: anonymous. */
  readonly via: string | null;
  /** What requests, streams and messages of one and the same are counted by: `key 7`, `user 3`, `token`, `ip 192.0.2.7`. */
  readonly id: string;
  /** null: not a user in the control store. */
  readonly userId: number | null;
  readonly sessionId?: string;
  readonly keyId?: number;
}
