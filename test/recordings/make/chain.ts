import type { Hex } from "viem";
import { type Call, quantity, type TestNode } from "./node.ts";
import type { Random } from "./random.ts";

/** A transaction that the script wants at this place of the block. */
export type Planned = {
  kind: Kind;
  from: Hex;
  to: Hex | null;
  data?: Hex;
  value?: bigint;
  gas: bigint;
  /** It must revert; else it must succeed: the script stops where the chain disagrees. */
  fails?: boolean;
  /** Sent past the public mempool: no node announces it before its block. */
  hidden?: boolean;
  /** Contracts worth naming in a type 1 transaction. */
  touches?: Hex[];
};

export type Kind =
  | "deployment"
  | "setup"
  | "ethTransfer"
  | "tokenTransfer"
  | "tokenTransferFailing"
  | "approval"
  | "wrap"
  | "swapV2"
  | "swapV2Multi"
  | "swapV2Taxed"
  | "swapV3"
  | "swapV3Multi"
  | "swapTooLittle"
  | "swapExpired"
  | "swapV3Failing"
  | "liquidity"
  | "calldata"
  | "ownership"
  | "arbitrage"
  | "arbitrageFailing"
  | "sandwichFront"
  | "sandwichVictim"
  | "sandwichBack";

export type Log = { address: Hex; topics: Hex[]; data: Hex };
export type Receipt = { transactionHash: Hex; status: Hex; contractAddress: Hex | null; gasUsed: Hex; logs: Log[] };
export type Mined = Planned & { hash: Hex; receipt: Receipt; type: 0 | 1 | 2; unseen: boolean };
export type Chain = ReturnType<typeof createChain>;

const SLOT_SECONDS = 12;
const GWEI = 1_000_000_000n;
/** Of the transactions that could be announced this share goes past the mempool too; with the bots' it makes about 30 %. */
const HIDDEN_SHARE = 0.22;
/** Of the announced ones this share is a second try that replaces a cheaper first one, which is never mined. */
const REPLACED_SHARE = 0.012;

/**
 * Builds blocks to plan: the order of a block is the order of its fees, so fees are dealt out in the planned order, and
 * transactions enter the mempool shuffled, in two waves of a slot.
 *
 * @param announce publishes hashes as a node would and resolves when the recorder has written them
 * @param recorded resolves when the recorder has written the block
 */
export function createChain(options: {
  node: TestNode;
  random: Random;
  startSeconds: number;
  announce(hashes: Hex[], fromMs: number, toMs: number): Promise<void>;
  recorded(block: number): Promise<void>;
}) {
  const { node, random, startSeconds, announce, recorded } = options;
  const nonces = new Map<Hex, number>();
  let number = 0;
  let replaced = 0;

  return {
    replaced: () => replaced,
    blockNumber: () => number,
    seconds: () => startSeconds + number * SLOT_SECONDS,
    baseFee: async () =>
      BigInt((await node.call<{ baseFeePerGas: Hex }>("eth_getBlockByNumber", "pending", false)).baseFeePerGas),

    /** Mines one block of exactly these transactions in this order, all announced or (quiet) none. */
    async mine(planned: Planned[], { quiet = false } = {}): Promise<Mined[]> {
      number++;
      const timestamp = startSeconds + number * SLOT_SECONDS;
      const slotMs = (timestamp - SLOT_SECONDS) * 1000;
      const baseFee = await this.baseFee();
      const tips = dealTips(planned.length);
      const sends = planned.map((plan, index) => {
        const nonce = nonces.get(plan.from) ?? 0;
        nonces.set(plan.from, nonce + 1);
        const type = plan.touches && random.chance(0.12) ? 1 : random.chance(0.72) ? 2 : 0;
        const hidden = quiet || plan.hidden || random.chance(HIDDEN_SHARE);
        return { plan, hidden, type: type as 0 | 1 | 2, ...request(plan, nonce, type, baseFee, tips[index]!) };
      });

      // A replaced one is announced in the first wave and again, at its better price, in the second.
      const open = random.shuffle(sends.filter(({ hidden }) => !hidden));
      const half = Math.floor(open.length / 2);
      const retried = open
        .slice(half)
        .filter(({ plan }) => plan.kind === "ethTransfer" && random.chance(REPLACED_SHARE * 8));
      const firstTries = retried.map(({ cheaper }) => cheaper);
      const hashes = new Map<unknown, Hex>();
      for (const [wave, calls] of [
        [...open.slice(0, half).map(({ send }) => send), ...firstTries],
        open.slice(half).map(({ send }) => send),
      ].entries()) {
        const sent = await node.batch<Hex>(calls);
        for (const [index, call] of calls.entries()) hashes.set(call, sent[index]!);
        await announce(sent, slotMs + wave * 6000, slotMs + wave * 6000 + 5500);
      }
      replaced += firstTries.length;

      const secret = sends.filter(({ hidden }) => hidden).map(({ send }) => send);
      const finish: Call[] = [...secret, ["evm_setNextBlockTimestamp", timestamp], ["evm_mine"]];
      const answers = await node.batch<Hex>(finish);
      for (const [index, call] of secret.entries()) hashes.set(call, answers[index]!);
      const receipts = await node.call<Receipt[]>("eth_getBlockReceipts", quantity(number));
      await recorded(number);
      return sends.map(({ plan, send, hidden, type }, index) => {
        const [hash, receipt] = [hashes.get(send)!, receipts[index]];
        if (receipt?.transactionHash !== hash)
          throw new Error(`Block ${number} is not in the planned order at ${index} (${plan.kind})`);
        if ((receipt.status === "0x0") !== Boolean(plan.fails))
          throw new Error(
            `Block ${number}, ${index}: ${plan.kind} has status ${receipt.status}, gas ${receipt.gasUsed} of ${plan.gas}: to ${plan.to}, data ${plan.data}`,
          );
        return { ...plan, hash, receipt, type, unseen: hidden };
      });
    },
  };

  /** Descending and all different, 0.01 to 40 gwei over the base fee: what decides the order within a block. */
  function dealTips(count: number): bigint[] {
    const tips = Array.from({ length: count }, () => BigInt(Math.floor(random.logUniform(0.01, 40) * 1e9)));
    tips.sort((one, other) => (one < other ? 1 : -1));
    return tips.map((tip, index) => tip + BigInt(count - index));
  }

  function request(
    plan: Planned,
    nonce: number,
    type: number,
    baseFee: bigint,
    tip: bigint,
  ): { send: Call; cheaper: Call } {
    const common = {
      from: plan.from,
      ...(plan.to ? { to: plan.to } : {}),
      data: plan.data ?? "0x",
      value: quantity(plan.value ?? 0n),
      gas: quantity(plan.gas),
      nonce: quantity(nonce),
    };
    const cap = quantity(baseFee + tip);
    // Some bid less for priority than their cap would allow, some nothing at all.
    const priority = random.chance(0.2) ? quantity((tip * BigInt(random.int(0, 9))) / 10n) : quantity(tip);
    const priced = (price: Hex, priorityFee: Hex) =>
      type === 2
        ? { ...common, maxFeePerGas: price, maxPriorityFeePerGas: priorityFee }
        : type === 1
          ? {
              ...common,
              gasPrice: price,
              accessList: (plan.touches ?? []).map((address) => ({ address, storageKeys: [RESERVES_SLOT] })),
            }
          : { ...common, gasPrice: price };
    return {
      send: ["eth_sendTransaction", priced(cap, priority)],
      cheaper: [
        "eth_sendTransaction",
        priced(quantity(baseFee + 1000n + (tip - (tip % GWEI)) / 1000n), quantity(1000n)),
      ],
    };
  }
}

/** Slot 8 of a Uniswap V2 pair holds both reserves. */
const RESERVES_SLOT = `0x${"8".padStart(64, "0")}`;
