import type { users } from "../control/schema.ts";
import type { Role } from "./roles.ts";

export interface User {
  readonly id: number;
  readonly username: string;
  readonly role: Role;
  /** Nothing of it is accepted: no password, token or key. */
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly passwordChangedAt: Date;
  readonly lastLoginAt: Date | null;
}

export function userOf(row: typeof users.$inferSelect): User {
  const { passwordHash: _, removedAt: __, ...user } = row;
  return user;
}
