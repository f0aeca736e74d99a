/**
 * The world: what a worker may know beyond its batch. An immutable snapshot, named by the hash of its content: a range of the
 * ledger names the world it ran in, so a replay runs in the same one.
 */
import { createHash } from "node:crypto";
import type { RegistryData } from "../chain/registry/registryData.ts";
import type { ListUse } from "../condition/listKinds.ts";
import { type BaselineTable, type ChainBaselines, openBaselines } from "./baselines.ts";
import { type ListTable, openListTable } from "./listTable.ts";

/** The list of addresses that risk asks, if there is one, whatever the rules name. */
export const KNOWN_BAD = "known-bad";

/** Can be handed to a thread: the entries of lists are shared memory. */
export interface World {
  readonly id: string;
  /** Chains whose transactions are taken; others are dead letters. */
  readonly chains: readonly number[];
  /** What is known of chains and protocols beside what is built in: WEIR_REGISTRY. */
  readonly registry: RegistryData;
  /** That rules may ask, and risk, by name. */
  readonly lists: readonly WorldList[];
  /** What is usual, by chain, for risk. */
  readonly baselines?: WorldBaselines;
}

export interface WorldBaselines {
  /** Of this version. */
  readonly id: string;
  readonly tables: readonly BaselineTable[];
}

export interface WorldList {
  readonly name: string;
  /** Of this version's entries. */
  readonly id: string;
  /** Of its table, see listTable.ts. */
  readonly buffer: SharedArrayBuffer;
}

/** Lists by name, ready to be asked. */
export type Lists = ReadonlyMap<string, ListTable>;
export const NO_LISTS: Lists = new Map();

export function createWorld({
  chains,
  registry = {},
  lists = [],
  baselines,
}: Pick<World, "chains"> & Partial<Pick<World, "registry" | "lists" | "baselines">>): World {
  const id = worldId({ chains, registry, lists, baselines: baselines?.id });
  return { id, chains: sorted(chains), registry, lists, ...(baselines && { baselines }) };
}

/** The name of a world with these chains, this registry and these versions of lists and baselines. */
export function worldId({
  chains,
  registry = {},
  lists,
  baselines,
}: {
  readonly chains: readonly number[];
  readonly registry?: RegistryData | undefined;
  readonly lists: readonly Pick<WorldList, "name" | "id">[];
  readonly baselines?: string | undefined;
}): string {
  const versions = [...lists].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, id }) => ({ name, id }));
  // Without lists, a registry or baselines it is the name that it had before there were any.
  return contentId({
    chains: sorted(chains),
    ...(versions.length > 0 && { lists: versions }),
    ...(Object.keys(registry).length > 0 && { registry: inOrder(registry) }),
    ...(baselines !== undefined && { baselines }),
  });
}

export const listsOf = (world: Pick<World, "lists">): Lists =>
  new Map(world.lists.map(({ name, buffer }) => [name, openListTable(buffer)]));

export const baselinesOf = ({ baselines }: Pick<World, "baselines">): ChainBaselines | undefined =>
  baselines && openBaselines(baselines.tables);

/** The tables of lists that a rule names. @throws Error when one is not there: the catalogue keeps that from happening */
export function tablesOf(uses: readonly ListUse[], lists: Lists): ListTable[] {
  return uses.map(({ name, bytes }) => {
    const table = lists.get(name);
    if (table?.bytes === bytes) return table;
    const state = table ? `its entries have ${table.bytes} bytes` : "the world has none";
    throw new Error(`Cannot ask the list "${name}": ${state}, expected one of ${bytes} bytes`);
  });
}

/** With the members of all objects by name: PostgreSQL gives them back in an order of its own. */
const inOrder = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
};

const sorted = (chains: readonly number[]): number[] => [...new Set(chains)].sort((a, b) => a - b);

/** 16 hex digits of sha256 over the JSON: 64 bits, so among a million snapshots a collision has a chance of 3 in 10^8. */
export function contentId(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}
