/** What resolvers have in hand: what the API is made of, who asks, and what this operation has read so far. */
import type { Role } from "../../engine/access/roles.ts";
import type { ApiDeps } from "../deps.ts";
import type { Hub } from "../live/hub.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { createLoaders, type Loaders } from "./loaders.ts";

export type GraphqlDeps = Pick<
  ApiDeps,
  "store" | "control" | "labels" | "rules" | "registry" | "coverage" | "config" | "log" | "metrics"
> & {
  readonly statistics: Statistics;
  /** undefined: there are no live streams. */
  readonly hub?: Hub | undefined;
  /** Subscriptions at a time, of all clients. */
  readonly maxStreams: number;
};

export interface GraphqlContext {
  readonly deps: GraphqlDeps;
  readonly role: Role;
  /** In the log and in the answer to an operation that failed. */
  readonly requestId: string;
  readonly loaders: Loaders;
}

/** One an operation: what is loaded twice within it is read once. */
export const createContext = (deps: GraphqlDeps, role: Role, requestId: string): GraphqlContext => ({
  ...{ deps, role, requestId },
  loaders: createLoaders(deps),
});
