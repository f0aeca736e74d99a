/** Which chain somebody means, and its nodes. */
import { builtInRegistry } from "../chain/registry/registry.ts";
import { type Config, ConfigError } from "../ops/config.ts";
import { UsageError } from "../ops/errors.ts";

export interface NamedChain {
  readonly id: number;
  /** `Ethereum`; the id where it has no name here. */
  readonly name: string;
}

/** @param text a chain id, or a name in any case @throws UsageError for a name that is not known */
export function chainOf(text: string): NamedChain {
  const known = [...builtInRegistry.chains.values()];
  const named = known.find(({ id, name }) => text === String(id) || text.toLowerCase() === name.toLowerCase());
  if (named) return { id: named.id, name: named.name };
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return { id, name: String(id) };
  throw new UsageError(
    `Cannot use the chain "${text}": it is not known, expected a chain id, or one of ${known.map(({ name }) => name.toLowerCase()).join(", ")}`,
  );
}

/** The nodes of a chain as they are configured. @throws ConfigError that says how to set them */
export function nodesOf({ nodes }: Pick<Config, "nodes">, { id, name }: NamedChain): readonly string[] {
  const urls = nodes.urls[id];
  if (urls) return urls;
  const own = builtInRegistry.chains.has(id) ? `${name.toUpperCase()}_RPC_URLS` : "WEIR_RPC_URLS";
  throw new ConfigError([
    {
      variable: own,
      problem: `it names no node of chain ${id}`,
      expected: own === "WEIR_RPC_URLS" ? `${id}=https://…` : "https://… or wss://…, several separated by commas",
      next: "Or name one with --rpc",
    },
  ]);
}

/** A block number of the command line. @throws UsageError */
export function blockNumber(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`Cannot use ${flag} "${text}": expected a block number`);
}

/** A whole number from 1. @throws UsageError */
export function wholeNumber(flag: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1 && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? "from 1" : `from 1 to ${most}`;
  throw new UsageError(`Cannot use ${flag} "${text}": expected a whole number ${range}`);
}
