import type { Context } from "hono";
import { atLeast } from "../../engine/access/roles.ts";
import { refuse } from "../problem.ts";
import { principalOf } from "./guard.ts";

/**
 * Who is no administrator changes what is its own alone.
 * @param what completes "Cannot change …": `the rule "whale"`  @param owner undefined: there is no such thing yet
 * @throws 403
 */
export function mustOwn(c: Context, what: string, owner: string | undefined): void {
  const { name, role } = principalOf(c);
  if (owner === undefined || owner === name || atLeast(role, "admin")) return;
  throw refuse(403, `Cannot change ${what}: it is "${owner}"'s, expected one of your own`);
}
