import { z } from "zod";
import type { Message } from "../kafka/message.ts";

/** What a record of `block_status` says of a block: see source/rpc/README.md. */
export interface StatusRecord {
  readonly partition: number;
  readonly offset: number;
  readonly status: "mined" | "replaced";
  readonly chainId: number;
  readonly number: number;
  /** Lower-case hex with 0x. */
  readonly hash: string;
}

const schema = z.object({
  status: z.enum(["mined", "replaced"]),
  chain_id: z.int().nonnegative(),
  block_number: z.int().nonnegative(),
  block_hash: z.string().regex(/^0x[0-9a-f]{64}$/),
});

/** @returns a text that names place and mistake where the record says nothing of a block */
export function readStatus({ topic, partition, offset, value }: Message): StatusRecord | string {
  const fail = (state: string): string =>
    `Cannot read the block status at ${topic}/${partition}, offset ${offset}: ${state}, expected {"status": "mined" or "replaced", "chain_id", "block_number", "block_hash"}`;
  let json: unknown;
  try {
    json = JSON.parse(value?.toString() ?? "");
  } catch (error) {
    return fail((error as Error).message);
  }
  const read = schema.safeParse(json);
  if (!read.success) return fail(z.prettifyError(read.error).replaceAll("\n", " "));
  const { status, chain_id: chainId, block_number: number, block_hash: hash } = read.data;
  return { partition, offset, status, chainId, number, hash };
}
