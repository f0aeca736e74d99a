/** What the conditions of one index share: each list is looked in, and each question about events asked, once a transaction. */
import type { Lists } from "../../world/world.ts";
import { type ArgumentFields, createArgumentFields } from "./argumentField.ts";
import { createListFields, type ListFields } from "./listField.ts";
import { createMatches, type Matches } from "./match.ts";

export interface Scope {
  readonly lists: ListFields;
  readonly matches: Matches;
  readonly arguments: ArgumentFields;
  /** Before each batch: what the lists are, and what was looked up is forgotten. @throws Error when a list is not there */
  bind(lists: Lists): void;
}

export function createScope(): Scope {
  const lists = createListFields();
  const matches = createMatches();
  return {
    lists,
    matches,
    arguments: createArgumentFields(),
    bind(tables) {
      lists.bind(tables);
      matches.bind(tables);
    },
  };
}
