// Generated from engine/frame/schema.ts by `npm run frame:generate`: do not edit.

export const FRAME_VERSION: u32 = 1;
export const HEADER_SIZE: usize = 416;
export const MAX_TOPICS: u32 = 4;

// Byte offset of each header field
/** u16, 2 B: 1 */
export const OFFSET_version: usize = 0;
/** u16, 2 B: 416: where the input begins */
export const OFFSET_headerSize: usize = 2;
/** u32, 4 B: whole frame in bytes, a multiple of 8 */
export const OFFSET_size: usize = 4;
/** u32, 4 B: bytes of input */
export const OFFSET_inputLength: usize = 8;
/** u32, 4 B: bytes of the access list part */
export const OFFSET_accessListLength: usize = 12;
/** u32, 4 B: bytes of the logs part */
export const OFFSET_logsLength: usize = 16;
/** u32, 4 B: bytes of extra, without padding */
export const OFFSET_extraLength: usize = 20;
/** u32, 4 B: entries of the access list */
export const OFFSET_accessListCount: usize = 24;
/** u32, 4 B: logs of the receipt */
export const OFFSET_logCount: usize = 28;
/** u32, 4 B: one bit for each optional field: see PRESENT */
export const OFFSET_present: usize = 32;
/** u32, 4 B: position in the block */
export const OFFSET_transactionIndex: usize = 36;
/** u32, 4 B: transactions of the block */
export const OFFSET_blockTransactionCount: usize = 40;
/** u8, 1 B: EIP-2718 type, 0 for legacy */
export const OFFSET_type: usize = 44;
/** u8, 1 B: 1 succeeded, 0 reverted */
export const OFFSET_status: usize = 45;
/** u16, 2 B: 0 */
export const OFFSET_reserved: usize = 46;
/** u64, 8 B: EIP-155 chain, up to 2^53 − 1 */
export const OFFSET_chainId: usize = 48;
/** u64, 8 B: first seen pending, µs since 1970 (JSON: ms) */
export const OFFSET_seenAt: usize = 56;
/** u64, 8 B: sender's nonce */
export const OFFSET_nonce: usize = 64;
/** u64, 8 B: gas limit */
export const OFFSET_gas: usize = 72;
/** u64, 8 B: gas used */
export const OFFSET_gasUsed: usize = 80;
/** u64, 8 B: gas used in the block so far */
export const OFFSET_cumulativeGasUsed: usize = 88;
/** u64, 8 B: height, up to 2^53 − 1 */
export const OFFSET_blockNumber: usize = 96;
/** u64, 8 B: seconds since 1970 */
export const OFFSET_blockTimestamp: usize = 104;
/** u64, 8 B: gas used by the block */
export const OFFSET_blockGasUsed: usize = 112;
/** u64, 8 B: gas limit of the block */
export const OFFSET_blockGasLimit: usize = 120;
/** u128, 16 B: wei per gas */
export const OFFSET_gasPrice: usize = 128;
/** u128, 16 B: wei per gas (EIP-1559) */
export const OFFSET_maxFeePerGas: usize = 144;
/** u128, 16 B: wei per gas (EIP-1559) */
export const OFFSET_maxPriorityFeePerGas: usize = 160;
/** u128, 16 B: wei per gas paid */
export const OFFSET_effectiveGasPrice: usize = 176;
/** u128, 16 B: wei per gas burned */
export const OFFSET_baseFeePerGas: usize = 192;
/** u256, 32 B: wei */
export const OFFSET_value: usize = 208;
/** bytes32, 32 B: transaction hash */
export const OFFSET_hash: usize = 240;
/** bytes32, 32 B: block hash */
export const OFFSET_blockHash: usize = 272;
/** bytes32, 32 B: parent block's hash */
export const OFFSET_blockParentHash: usize = 304;
/** bytes20, 20 B: sender */
export const OFFSET_from: usize = 336;
/** bytes20, 20 B: recipient; absent for a contract creation */
export const OFFSET_to: usize = 356;
/** bytes20, 20 B: the block's fee recipient */
export const OFFSET_miner: usize = 376;
/** bytes20, 20 B: the contract created */
export const OFFSET_contractAddress: usize = 396;

// Bits of the field `present`
export const PRESENT_to: u32 = 1;
export const PRESENT_type: u32 = 2;
export const PRESENT_gasPrice: u32 = 4;
export const PRESENT_maxFeePerGas: u32 = 8;
export const PRESENT_maxPriorityFeePerGas: u32 = 16;
export const PRESENT_seenAt: u32 = 32;
export const PRESENT_blockNumber: u32 = 64;
export const PRESENT_blockHash: u32 = 128;
export const PRESENT_transactionIndex: u32 = 256;
export const PRESENT_block: u32 = 512;
export const PRESENT_blockParentHash: u32 = 1024;
export const PRESENT_blockTimestamp: u32 = 2048;
export const PRESENT_miner: u32 = 4096;
export const PRESENT_blockGasUsed: u32 = 8192;
export const PRESENT_blockGasLimit: u32 = 16384;
export const PRESENT_baseFeePerGas: u32 = 32768;
export const PRESENT_blockTransactionCount: u32 = 65536;
export const PRESENT_receipt: u32 = 131072;
export const PRESENT_status: u32 = 262144;
export const PRESENT_gasUsed: u32 = 524288;
export const PRESENT_cumulativeGasUsed: u32 = 1048576;
export const PRESENT_effectiveGasPrice: u32 = 2097152;
export const PRESENT_contractAddress: u32 = 4194304;
export const PRESENT_logs: u32 = 8388608;
export const PRESENT_accessList: u32 = 16777216;

// Byte offsets within a log
export const LOG_size: usize = 0;
export const LOG_dataLength: usize = 4;
export const LOG_logIndex: usize = 8;
export const LOG_topicCount: usize = 12;
export const LOG_address: usize = 16;
export const LOG_topics: usize = 40;

// Byte offsets within an entry of the access list
export const ACCESS_size: usize = 0;
export const ACCESS_keyCount: usize = 4;
export const ACCESS_address: usize = 8;
export const ACCESS_keys: usize = 32;
