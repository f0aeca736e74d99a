import type { PoolIdentity } from "../../chain/poolIdentity.ts";
import type { Registry } from "../../chain/registry/registry.ts";
import { UserError } from "../../ops/errors.ts";
import { createChainWindow } from "./chainWindow.ts";
import { type Endpoint, type Endpoints, type EndpointsOptions, NotThere, openEndpoints } from "./endpoints.ts";
import { createHeadWatch } from "./headWatch.ts";
import { createMarketReader } from "./marketReader.ts";
import { createPendingWatch, type PendingSource, type Sighting } from "./pendingWatch.ts";
import { createPoolIdentities } from "./poolIdentities.ts";
import { createPoolScanner, type ScannedPools } from "./poolScanner.ts";
import type { PoolStore } from "./poolStore.ts";
import { createReadAhead } from "./readAhead.ts";
import { type BlockRef, createBlockReader, type ReadBlock, readHeader } from "./readBlock.ts";
import { LyingNode } from "./verifyBlock.ts";

/** What a chain does, in the order in which it may be written down: a sighting always precedes its block. */
export type ChainEvent =
  | { kind: "pending"; sightings: Sighting[] }
  | ({
      kind: "block";
      /** The pools that the registry lists. */
      scanned?: ScannedPools;
      /** Of the pools that traded what is known. */
      traded?: PoolIdentity[];
    } & ReadBlock)
  /** Blocks that were handed on are not of the chain any more, ascending; those in their place follow. */
  | { kind: "reorg"; replaced: BlockRef[] }
  /** Pending transactions are seen from now on, or are not any more. */
  | ({ kind: "pending_source" } & PendingSource);

export interface ChainOptions extends EndpointsOptions {
  /** First block; default: the one after `known`, else the first that is mined from now on, or with toBlock the newest. */
  readonly fromBlock?: number | undefined;
  /** Last block, then the events end; default: follow the chain until the signal. */
  readonly toBlock?: number | undefined;
  /** The last blocks that an earlier run handed on, ascending: this one goes on behind them, and notices if they were replaced. */
  readonly known?: readonly BlockRef[];
  /** How many blocks may be replaced at once; default 64. */
  readonly reorgDepth?: number | undefined;
  /** Also yield pending transactions as a node announces them. */
  readonly pending?: boolean;
  /**
   * Whose routers and pools are known: sightings of their swaps say what the pools hold, blocks what listed pools do, and which tokens pools have that
   * traded. Default: nothing of it is said.
   */
  readonly registry?: Pick<Registry, "chains" | "protocols"> | undefined;
  /** What is known of pools from before; default: they are asked anew. */
  readonly poolStore?: PoolStore | undefined;
  /** How long blocks, and pending transactions, wait for what is asked of pools; default 1,000 ms. */
  readonly poolsWithinMs?: number;
  /** Blocks that are read at a time while there are many to catch up with; default 4. */
  readonly ahead?: number | undefined;
  /** How often heads are asked for where no node announces them, and pending transactions are collected; default 500 ms. */
  readonly pollMs?: number | undefined;
  /** The clock of `seenAt`, Unix milliseconds; called once for each announced transaction. */
  readonly clock?: () => number;
}

export interface Chain {
  readonly chainId: number;
  readonly endpoints: Endpoints;
  /** Announced transactions that were not yielded, because their body was gone or their block already read. */
  missedPending(): number;
  /** Of those that were yielded: router swaps that do not say what the pools hold, since it could not be read in time. */
  missedMarkets(): number;
  /** The last blocks yielded, as `known` of a later run. */
  blocks(): BlockRef[];
  /** How many blocks the nodes have that were not yielded yet. */
  behind(): number;
  events(): AsyncGenerator<ChainEvent, void, void>;
  close(): Promise<void>;
}

export const REORG_DEPTH = 64;
/** Where heads are announced they are asked for so many times less often: a socket can be open and dead, and other nodes' heads are wanted. */
const SELDOM = 10;

/**
 * Follows a chain through its nodes: blocks with transactions and receipts, verified, in order, each once for as long as it is of the
 * chain; and pending transactions.
 *
 * @throws RpcError or LyingNode when no node can be used, after retries; UserError for an empty range, or when more blocks are
 * replaced than may be
 */
export async function openChain(options: ChainOptions): Promise<Chain> {
  const { fromBlock, toBlock, known = [], reorgDepth = REORG_DEPTH, pollMs = 500 } = options;
  const { ahead = 4, signal, clock = Date.now, poolsWithinMs: withinMs = 1_000 } = options;
  checkRange(fromBlock, toBlock);
  // Blocks that end elsewhere say nothing of a range.
  const continues = fromBlock === undefined || fromBlock - 1 === known.at(-1)?.number;
  const window = createChainWindow(continues ? known : [], reorgDepth);
  const endpoints = await openEndpoints(options);
  try {
    const pending = options.pending ? await createPendingWatch({ endpoints, clock }) : undefined;
    const { chains, protocols = [] } = options.registry ?? {};
    const venues = chains?.get(endpoints.chainId);
    const followsSwaps = pending && venues && venues.v2Routers.size + venues.v3Routers.size > 0;
    const scansPools = venues && venues.pools.size > 0;
    const markets = followsSwaps || scansPools ? createMarketReader({ endpoints, chain: venues, withinMs }) : undefined;
    const scanner =
      scansPools && markets ? createPoolScanner({ endpoints, chain: venues, markets, withinMs }) : undefined;
    const identities =
      venues && createPoolIdentities({ endpoints, chain: venues, protocols, store: options.poolStore, withinMs });
    const heads = createHeadWatch(endpoints, signal);
    const read = createBlockReader(endpoints.chainId);
    const tip = window.tip();
    const head = endpoints.newest();
    let next = fromBlock ?? (tip ? tip.number + 1 : toBlock === undefined ? head + 1 : Math.min(head, toBlock));

    const reader = createReadAhead((number) => endpoints.use((endpoint) => read(endpoint, number)), ahead);

    const follows = ({ number, parentHash }: ReadBlock): boolean => {
      const tip = window.tip();
      return tip?.number !== number - 1 || parentHash === tip.hash;
    };

    /** The next block, or those that it replaces. */
    async function takeStep(): Promise<ReadBlock | BlockRef[]> {
      const block = await reader.take(next, Math.min(endpoints.newest(), toBlock ?? Infinity));
      if (follows(block)) return block;
      reader.drop();
      return endpoints.use(readStep);
    }

    /** The same, all of it said by one node. */
    async function readStep(endpoint: Endpoint): Promise<ReadBlock | BlockRef[]> {
      const block = await read(endpoint, next);
      if (follows(block)) return block;
      const tip = window.tip()!;
      const replaced = await window.findReplaced((number) => hashAt(endpoint, number));
      if (replaced.length > 0) return replaced;
      // It still has the block before. Was this one replaced while we asked?
      if ((await hashAt(endpoint, next)) !== block.hash) return readStep(endpoint);
      const what = `block ${next} has the parent "${block.parentHash}", but block ${tip.number} is "${tip.hash}"`;
      throw new LyingNode(endpoint.name, "parent", what);
    }

    async function withMarkets(sightings: Sighting[]): Promise<Sighting[]> {
      const found = await markets?.marketsOf(sightings.map(({ transaction }) => transaction), next - 1); // biome-ignore format: one call
      return sightings.map((sighting, i) => (found?.[i] ? { ...sighting, market: found[i] } : sighting));
    }

    /** Both at once: the block waits for the slower one. */
    async function toldOf(block: ReadBlock) {
      const [scanned, traded] = await Promise.all([scanner?.scan(block.number), identities?.of(block)]);
      return { ...(scanned && { scanned }), ...(traded && { traded }) };
    }

    async function* events(): AsyncGenerator<ChainEvent, void, void> {
      let askedAt = performance.now();
      let source: PendingSource | undefined;
      while (!signal?.aborted && (toBlock === undefined || next <= toBlock)) {
        // Sightings first: what is announced after this is too late for the block that is read next.
        const sightings = (await pending?.take(next)) ?? [];
        if (sightings.length > 0) yield { kind: "pending", sightings: await withMarkets(sightings) };
        const now = pending?.source();
        if (now && now.healthy !== source?.healthy) yield { kind: "pending_source", ...(source = now) };
        if (next > endpoints.newest()) {
          if (performance.now() - askedAt >= (heads.live() ? SELDOM * pollMs : pollMs)) {
            askedAt = performance.now();
            await endpoints.readHead();
          }
          if (next > endpoints.newest()) await heads.wait(pollMs);
          continue;
        }
        const step = await takeStep();
        if (Array.isArray(step)) {
          window.remove(step);
          next = step[0]!.number;
          markets?.forget();
          yield { kind: "reorg", replaced: step };
        } else {
          window.append({ number: step.number, hash: step.hash });
          next++;
          markets?.follow(step);
          yield { kind: "block", ...step, ...(await toldOf(step)) };
        }
      }
    }

    return {
      chainId: endpoints.chainId,
      endpoints,
      events,
      missedPending: () => pending?.missed() ?? 0,
      missedMarkets: () => markets?.missed() ?? 0,
      blocks: () => window.blocks(),
      behind: () => Math.max(0, endpoints.newest() + 1 - next),
      async close() {
        await heads.close();
        await pending?.close();
        await endpoints.close();
      },
    };
  } catch (error) {
    await endpoints.close().catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

async function hashAt(endpoint: Endpoint, number: number): Promise<string | undefined> {
  try {
    return String((await readHeader(endpoint, number, false)).hash);
  } catch (error) {
    if (error instanceof NotThere) return undefined;
    throw error;
  }
}

function checkRange(fromBlock: number | undefined, toBlock: number | undefined): void {
  for (const [name, block] of Object.entries({ fromBlock, toBlock })) {
    if (block !== undefined && !(Number.isSafeInteger(block) && block >= 0))
      throw new UserError(`Cannot start at ${name} "${block}": not a block number, expected a whole number from 0`);
  }
  if (fromBlock !== undefined && toBlock !== undefined && fromBlock > toBlock)
    throw new UserError(
      `Cannot read blocks "${fromBlock}" to "${toBlock}": the range is empty, expected fromBlock <= toBlock`,
    );
}
