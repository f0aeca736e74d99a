/** A block's header, as far as the base fee of the next one follows from it. */
export interface FeeHeader {
  readonly number: number;
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  /** Wei per gas; undefined before the chain had one. */
  readonly baseFee: bigint | undefined;
  /** `0x…`; undefined where the source left it out. */
  readonly extraData?: string | undefined;
  /** On Optimism's chains since Jovian: what the block's data take of the space for data on L1. */
  readonly blobGasUsed?: bigint | undefined;
}

/** How a chain's base fee moves, from a block on: the last rule whose `from` is not above the block's number holds for it. */
export type FeeRule = { readonly from: number } & (
  | {
      /** EIP-1559: gas target = gas limit × numerator / denominator (1/2 where the EIP's elasticity is 2). */
      readonly target: readonly [numerator: bigint, denominator: bigint];
      /** A block that uses twice its target raises the fee by 1/changeDenominator. */
      readonly changeDenominator: bigint;
      /** Of the first block that has one, wei. */
      readonly initial?: bigint;
    }
  | { readonly constant: bigint }
  /** EIP-1559 with parameters that each header gives for the next block: Optimism's Holocene and Jovian. */
  | { readonly parameters: "header" }
  /** By no formula of headers alone. */
  | { readonly parameters: "unknown" }
);

/**
 * Base fee of the block after this one, wei per gas; exactly what the chain will demand. undefined where no formula says: of Arbitrum,
 * which prices by time, of a Polygon block since Lisovo, whose producer chooses within bounds, of a chain that we have no rules of, or
 * where the header lacks what is needed.
 *
 * Source: EIP-1559, "baseFeePerGas"; integer division throughout, in its order.
 *
 * @param rules of the chain, ascending
 */
export function nextBaseFee(parent: FeeHeader, rules: readonly FeeRule[] = []): bigint | undefined {
  const rule = rules.findLast(({ from }) => from <= parent.number + 1);
  if (rule === undefined) return undefined;
  if ("constant" in rule) return rule.constant;
  if ("parameters" in rule) return rule.parameters === "header" ? byHeader(parent) : undefined;
  if (parent.baseFee === undefined) return parent.number + 1 === rule.from ? rule.initial : undefined;
  const [numerator, denominator] = rule.target;
  return step(parent.baseFee, parent.gasUsed, (parent.gasLimit * numerator) / denominator, rule.changeDenominator);
}

/** The highest base fee that so many blocks can lead to, all of them full; undefined as above. */
export function highestBaseFee(parent: FeeHeader, blocks: number, rules?: readonly FeeRule[]): bigint | undefined {
  let header = parent;
  for (let i = 0; i < blocks; i++) {
    const baseFee = nextBaseFee(header, rules);
    if (baseFee === undefined) return undefined;
    header = { ...header, number: header.number + 1, baseFee, gasUsed: header.gasLimit };
  }
  return header.baseFee;
}

function step(baseFee: bigint, used: bigint, target: bigint, changeDenominator: bigint): bigint | undefined {
  if (target === 0n || changeDenominator === 0n) return undefined;
  if (used === target) return baseFee;
  if (used < target) return baseFee - (baseFee * (target - used)) / target / changeDenominator;
  const rise = (baseFee * (used - target)) / target / changeDenominator;
  return baseFee + (rise > 1n ? rise : 1n);
}

/**
 * Holocene and Jovian put the parameters into extraData, big-endian. Jovian also counts the data, where they are more than the gas.
 *
 *     u8 version │ u32 change denominator │ u32 elasticity │ since version 1: u64 lowest base fee
 */
function byHeader({ baseFee, gasUsed, gasLimit, extraData, blobGasUsed }: FeeHeader): bigint | undefined {
  const found = /^0x(?:00(\p{AHex}{8})(\p{AHex}{8})|01(\p{AHex}{8})(\p{AHex}{8})(\p{AHex}{16}))$/u.exec(
    extraData ?? "",
  );
  if (found === null || baseFee === undefined) return undefined;
  const [changeDenominator, elasticity, lowest = 0n] = found.slice(1).filter(Boolean).map((hex) => BigInt(`0x${hex}`)); // biome-ignore format: one chain
  const isJovian = found[5] !== undefined;
  if (elasticity === 0n || (isJovian && blobGasUsed === undefined)) return undefined;
  const used = isJovian && blobGasUsed! > gasUsed ? blobGasUsed! : gasUsed;
  const next = step(baseFee, used, gasLimit / elasticity!, changeDenominator!);
  return next !== undefined && next < lowest ? lowest : next;
}
