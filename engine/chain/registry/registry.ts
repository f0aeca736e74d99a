import type { Layout } from "../protocols/exchange.ts";
import { LAYOUTS } from "../protocols/layouts.ts";
import type { Address } from "../swap.ts";
import { CHAINS } from "./chains.ts";
import { METHODS } from "./methods.ts";
import { PROTOCOLS, UNPROVEN } from "./protocols.ts";
import type { ChainData, RegistryData, V2FactoryData, V3FactoryData } from "./registryData.ts";

/** What is known of chains and protocols before a block is read. */
export interface Registry {
  readonly chains: ReadonlyMap<number, Chain>;
  /** Signatures of routers' methods that swap, by selector. */
  readonly methods: ReadonlyMap<string, string>;
  readonly protocols: readonly Protocol[];
}

/** What is not known of a chain is undefined. */
export interface Chain {
  readonly id: number;
  readonly name: string;
  readonly nativeToken: string | undefined;
  readonly wrapped: Address | undefined;
  /** USD of its coin, where a block's own pools do not tell. */
  readonly nativeUsd: number | undefined;
  readonly blockSeconds: number | undefined;
  /** Decimals by address. */
  readonly stableCoins: ReadonlyMap<Address, number>;
  /** Names by address. */
  readonly routers: ReadonlyMap<Address, string>;
  /** Venues of Uniswap V2's kind by the address of their factory. */
  readonly v2Factories: ReadonlyMap<Address, V2Factory>;
  /** The same by their routers. */
  readonly v2Routers: ReadonlyMap<Address, V2Factory>;
  /** Venues of Uniswap V3's kind, the same way. */
  readonly v3Factories: ReadonlyMap<Address, V3Factory>;
  readonly v3Routers: ReadonlyMap<Address, V3Factory>;
  /** Pools that are looked at after each block, by name. */
  readonly pools: ReadonlyMap<string, Address>;
  /** Multicall3. */
  readonly multicall: Address | undefined;
}

export interface V2Factory extends V2FactoryData {
  readonly address: Address;
}
export interface V3Factory extends V3FactoryData {
  readonly address: Address;
}

/** One kind of log that says that a pool traded; a protocol may have several. */
export interface Protocol {
  readonly name: string;
  readonly topic0: string;
  readonly layout: Layout;
  readonly contracts: ReadonlySet<Address>;
  /** A real log of it is among the fixtures. What is not proven is never of high confidence. */
  readonly proven: boolean;
}

/**
 * What is built in and what is given beside it: a chain's members replace ours one by one, its routers, factories, stable coins and pools come
 * to ours, as do methods; a protocol replaces ours of the same topic, and counts as unproven.
 */
export function createRegistry(given: RegistryData = {}): Registry {
  const chains = new Map(CHAINS.map((chain) => [chain.id, chainOf(chain, undefined)]));
  for (const chain of given.chains ?? []) chains.set(chain.id, chainOf(chain, chains.get(chain.id)));
  const protocols = new Map(
    [...PROTOCOLS, ...(given.protocols ?? [])].map((protocol) => {
      const { name, topic0, layout, contracts = [] } = protocol;
      const proven = !given.protocols?.includes(protocol) && !UNPROVEN.has(topic0);
      return [topic0, { name, topic0, layout: LAYOUTS[layout], contracts: new Set(contracts), proven }];
    }),
  );
  const methods = new Map([...Object.entries(METHODS), ...Object.entries(given.methods ?? {})]);
  return { chains, methods, protocols: [...protocols.values()] };
}

function chainOf(data: ChainData, known: Chain | undefined): Chain {
  const v2Factories = withGiven<V2FactoryData>(known?.v2Factories, data.v2Factories);
  const v3Factories = withGiven<V3FactoryData>(known?.v3Factories, data.v3Factories);
  return {
    id: data.id,
    name: data.name ?? known?.name ?? `chain ${data.id}`,
    nativeToken: data.nativeToken ?? known?.nativeToken,
    wrapped: data.wrapped ?? known?.wrapped,
    nativeUsd: data.nativeUsd ?? known?.nativeUsd,
    blockSeconds: data.blockSeconds ?? known?.blockSeconds,
    stableCoins: new Map([...(known?.stableCoins ?? []), ...Object.entries(data.stableCoins ?? {})]),
    routers: new Map([...(known?.routers ?? []), ...Object.entries(data.routers ?? {})]),
    v2Factories,
    v2Routers: byRouter(v2Factories),
    v3Factories,
    v3Routers: byRouter(v3Factories),
    pools: new Map([...(known?.pools ?? []), ...Object.entries(data.pools ?? {})]),
    multicall: data.multicall ?? known?.multicall,
  };
}

type Factories<T> = ReadonlyMap<Address, T & { readonly address: Address }>;

function withGiven<T>(known: Factories<T> | undefined, given: Readonly<Record<Address, T>> = {}): Factories<T> {
  return new Map([
    ...(known ?? []),
    ...Object.entries(given).map(([address, factory]) => [address, { address, ...factory }] as const),
  ]);
}

const byRouter = <T extends { readonly routers: readonly Address[] }>(factories: Factories<T>): Factories<T> =>
  new Map([...factories.values()].flatMap((factory) => factory.routers.map((router) => [router, factory] as const)));

export const builtInRegistry: Registry = createRegistry();
