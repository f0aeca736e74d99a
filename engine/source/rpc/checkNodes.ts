import { messageOf } from "../../ops/errors.ts";
import { createConnection } from "./connection.ts";

export interface NodeState {
  /** Host. */
  readonly node: string;
  /** Newest block; undefined when it cannot be used. */
  readonly head?: number;
  readonly ms?: number;
  /** Why it cannot be used. */
  readonly problem?: string;
}

/** Asks each node of a chain which chain it is of, and for its newest block. Never rejects. */
export async function checkNodes(chainId: number, urls: readonly string[], timeoutMs: number): Promise<NodeState[]> {
  return Promise.all(
    urls.map(async (url) => {
      const connection = createConnection({ url, timeoutMs });
      const node = connection.name;
      try {
        const began = performance.now();
        const chain = Number(await connection.request<string>("eth_chainId"));
        const ms = Math.round(performance.now() - began);
        if (chain !== chainId) return { node, problem: `it is of chain ${chain}` };
        return { node, ms, head: Number(await connection.request<string>("eth_blockNumber")) };
      } catch (error) {
        return { node, problem: messageOf(error) };
      } finally {
        await connection.close();
      }
    }),
  );
}
