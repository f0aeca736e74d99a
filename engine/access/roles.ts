/** What people and programs may do. Each role may do all that those before it may. */
export const ROLES = ["viewer", "user", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** @example atLeast("admin", "user") // true */
export const atLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);

export const lesser = (a: Role, b: Role): Role => (atLeast(a, b) ? b : a);
