/**
 * Worlds by id, ready to run in. A range of the ledger names its world, so what was begun is finished with the lists that it was
 * begun with, by whichever engine: worlds are kept in the control store as rule sets are.
 */
import type { Control } from "../control/open.ts";
import type { WorldContent } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import { readBaselines } from "./baselineTables.ts";
import type { ListContents } from "./listContents.ts";
import { readWorld } from "./listTables.ts";
import { createWorld, type World, worldId } from "./world.ts";

/** An edit overlaps with batches of the world before; a recovery runs in older ones. */
const KEPT = 4;

export interface Worlds {
  /** Content is read from the store unless it is given. @throws UserError when there is no such world, ControlUnavailable */
  get(id: string, content?: WorldContent): Promise<World>;
  /** Whether anybody has asked for one: an engine has, a command that lists rules has not. */
  used(): boolean;
}

/** @param configured without lists, as they were before there were any */
export function createWorlds(
  control: Control,
  contents: ListContents,
  configured: Omit<WorldContent, "lists">,
): Worlds {
  const worlds = new Map<string, Promise<World>>();

  async function contentOf(id: string): Promise<WorldContent> {
    const content = await control.read((db) => readWorld(db, id));
    if (content) return content;
    const plain = { ...configured, lists: [] };
    if (id === worldId(plain)) return plain; // of a version of ours that kept none
    throw new UserError(`Cannot finish what was begun in the world "${id}": the control store does not have it`, {
      next: "The ledger needs it: use the control store (DATABASE_URL or WEIR_DATA) of then, with WEIR_CHAINS and WEIR_REGISTRY as they were",
    });
  }

  async function make(id: string, known: WorldContent | undefined): Promise<World> {
    const content = known ?? (await contentOf(id));
    const lists = [];
    for (const version of content.lists) {
      const { buffer } = await contents.get((work) => control.read(work), version);
      lists.push({ name: version.name, id: version.id, buffer });
    }
    const { baselines: version } = content;
    const baselines = version === undefined ? undefined : await control.read((db) => readBaselines(db, version));
    return createWorld({ ...content, lists, baselines });
  }

  return {
    used: () => worlds.size > 0,
    async get(id, known) {
      const found = worlds.get(id);
      if (found) return found;
      const world = make(id, known);
      worlds.set(id, world);
      world.catch(() => worlds.delete(id));
      for (const old of [...worlds.keys()].slice(0, -KEPT)) worlds.delete(old);
      return world;
    },
  };
}
