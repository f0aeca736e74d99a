/**
 * Where a change comes from, for the audit log: set around a request, read where the entry is written, so that what lies
 * between need not pass it on.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Actor {
  /** Address that the request came from. */
  readonly ip: string | null;
  /** How they showed who they are: `session 1f0c…`, `key weir_ab12cd34`, `token`. */
  readonly via: string | null;
}

const NOBODY: Actor = { ip: null, via: null };
const current = new AsyncLocalStorage<Actor>();

/** Runs `work`, whose changes are noted as this actor's. */
export const actingAs = <T>(actor: Actor, work: () => T): T => current.run(actor, work);

export const actor = (): Actor => current.getStore() ?? NOBODY;
