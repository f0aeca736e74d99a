import type { Hex } from "viem";

export type Call = [method: string, ...params: unknown[]];
export type TestNode = ReturnType<typeof createTestNode>;

/** JSON-RPC to anvil in batches: a block's transactions are one request. */
export function createTestNode(url: string) {
  let id = 0;
  const batch = async <Result>(calls: Call[]): Promise<Result[]> => {
    if (calls.length === 0) return [];
    const body = JSON.stringify(calls.map(([method, ...params]) => ({ jsonrpc: "2.0", id: id++, method, params })));
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const answers = (await response.json()) as { id: number; result?: Result; error?: { message: string } }[];
    answers.sort((one, other) => one.id - other.id);
    return answers.map(({ result, error }, index) => {
      if (error)
        throw new Error(
          `Cannot call "${calls[index]![0]}": ${error.message}, expected a result: ${JSON.stringify(calls[index]).slice(0, 400)}`,
        );
      return result as Result;
    });
  };
  return {
    batch,
    call: async <Result>(...call: Call): Promise<Result> => (await batch<Result>([call]))[0]!,
    read: async (calls: { to: Hex; data: Hex }[]) => batch<Hex>(calls.map((call) => ["eth_call", call, "latest"])),
  };
}

export const quantity = (value: bigint | number): Hex => `0x${BigInt(value).toString(16)}`;
