/**
 * Calls of contracts' views, all of one step at one block: in one `eth_call` through Multicall3 where the chain has it, else one each, which go out
 * together.
 */
import { type Abi, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from "viem";
import { ServiceUnavailable } from "../../ops/errors.ts";
import { RpcError } from "./connection.ts";
import type { Endpoint } from "./endpoints.ts";

export interface ContractCall {
  readonly to: string;
  readonly functionName: string;
  readonly args?: readonly unknown[];
}

/** In one: some 100 kB, and within the gas that nodes give a call. */
const MOST_CALLS = 500;
const MULTICALL = parseAbi([
  "function aggregate3((address target, bool allowFailure, bytes callData)[] calls) view returns ((bool success, bytes returnData)[])",
]);

/**
 * @param block number in hex or a tag
 * @param multicall address of Multicall3
 * @returns in the order of the calls; null: the contract refuses, answers something else, or is none
 * @throws ServiceUnavailable: the node does not answer
 */
export function createCaller(endpoint: Pick<Endpoint, "request">, block: string, abi: Abi, multicall?: string) {
  /** @returns null: it reverts */
  async function ethCall(to: string, data: Hex): Promise<Hex | null> {
    try {
      return await endpoint.request<Hex>("eth_call", [{ to, data }, block]);
    } catch (error) {
      if (error instanceof ServiceUnavailable && !(error instanceof RpcError && error.kind === "refused")) throw error;
      return null;
    }
  }

  async function together(calls: readonly ContractCall[]): Promise<(Hex | null)[] | undefined> {
    if (multicall === undefined || calls.length < 2) return undefined;
    const list = calls.map((call) => ({ target: call.to as Hex, allowFailure: true, callData: dataOf(call) }));
    const data = encodeFunctionData({ abi: MULTICALL, functionName: "aggregate3", args: [list] });
    const answer = await ethCall(multicall, data);
    const answers = answer && decoded(() => decodeFunctionResult({ abi: MULTICALL, functionName: "aggregate3", data: answer })); // biome-ignore format: one call
    return answers?.map(({ success, returnData }) => (success ? returnData : null));
  }

  const dataOf = ({ functionName, args = [] }: ContractCall): Hex => encodeFunctionData({ abi, functionName, args });

  return async (calls: readonly ContractCall[]): Promise<unknown[]> => {
    const parts = Array.from({ length: Math.ceil(calls.length / MOST_CALLS) }, (_, i) =>
      calls.slice(i * MOST_CALLS, (i + 1) * MOST_CALLS),
    );
    const answers = await Promise.all(
      // Of a block before Multicall3 there is none.
      parts.map(
        async (part) => (await together(part)) ?? Promise.all(part.map((each) => ethCall(each.to, dataOf(each)))),
      ),
    );
    return answers.flat().map((data, i) => {
      const { functionName } = calls[i]!;
      return data === null ? null : decoded(() => decodeFunctionResult({ abi, functionName, data }));
    });
  };
}

/** null: not what the function gives. */
function decoded<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
