/**
 * A record of `block_status`, keyed by chain. Of a hash the last one counts: a chain may come back to a block that it had replaced.
 */
export type BlockStatus =
  | {
      readonly status: "mined";
      readonly chain_id: number;
      readonly block_number: number;
      readonly block_hash: string;
      readonly parent_hash: string;
      /** Unix seconds. */
      readonly timestamp: number;
      readonly transaction_count: number;
      /** How far it was verified: see verifyBlock.ts. */
      readonly proof: "proven" | "linked";
    }
  | {
      /** The block is not of the chain any more: what its transactions did has not happened. */
      readonly status: "replaced";
      readonly chain_id: number;
      readonly block_number: number;
      readonly block_hash: string;
    };
