/**
 * Labels that everybody has. Tokens: `symbol()` and `decimals()` of the contracts (bundled.test.ts compares them with what mainnet blocks
 * are known to hold); routers and pools: the addresses that their projects' documentation lists; exchanges: the public name tags of block explorers.
 */
import { keyOf, type Label } from "./label.ts";

type Token = readonly [address: string, symbol: string, decimals: number];

const TOKENS: Readonly<Record<number, readonly Token[]>> = {
  1: [
    ["0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", 18],
    ["0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6],
    ["0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6],
    ["0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", 18],
    ["0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "WBTC", 8],
    ["0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", "UNI", 18],
    ["0x514910771af9ca656af840dff83e8264ecf986ca", "LINK", 18],
    ["0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9", "AAVE", 18],
    ["0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2", "MKR", 18],
    ["0xd533a949740bb3306d119cc777fa900ba034cd52", "CRV", 18],
    ["0xc00e94cb662c3520282e6f5717214004a7f26888", "COMP", 18],
    ["0x6b3595068778dd592e39a122f4f5a5cf09c90fe2", "SUSHI", 18],
    ["0x0bc529c00c6401aef6d220be8c6ea1667f6ad93e", "YFI", 18],
    ["0x5a98fcbea516cf06857215779fd812ca3bef1b32", "LDO", 18],
    ["0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "stETH", 18],
    ["0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0", "wstETH", 18],
    ["0x0000000000085d4780b73119b644ae5ecd22b376", "TUSD", 18],
    ["0x4fabb145d64652a948d72533023f6e7a623c7c53", "BUSD", 18],
    ["0x8e870d67f660d95d5be530380d0ec0bd388289e1", "USDP", 18],
    ["0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce", "SHIB", 18],
    ["0x6982508145454ce325ddbe47a25d4ec3d2311933", "PEPE", 18],
    ["0x7d1afa7b718fb893db30a3abc0cfc608aacfebb0", "MATIC", 18],
    ["0x111111111117dc0aa78b770fa6a738034120c302", "1INCH", 18],
    ["0xc944e90c64b2c07662a292be6244bdf05cda44a7", "GRT", 18],
    ["0x4e3fbd56cd56c3e72c1403e103b45db9da5b9d2b", "CVX", 18],
    ["0xd46ba6d942050d489dbd938a2c909a5d5039a161", "AMPL", 9],
  ],
  10: [
    ["0x4200000000000000000000000000000000000006", "WETH", 18],
    ["0x0b2c639c533813f4aa9d7837caf62653d097ff85", "USDC", 6],
  ],
  56: [
    ["0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c", "WBNB", 18],
    ["0x55d398326f99059ff775485246999027b3197955", "USDT", 18],
    ["0x8ac76a51cc950d9822d68b83fe1ad97cd580d32d", "USDC", 18],
  ],
  137: [
    ["0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270", "WPOL", 18],
    ["0x7ceb23fd6bc0add59e62ac25578270cff1b9f619", "WETH", 18],
    ["0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", "USDC", 6],
    ["0x2791bca1f2de4661ed88a30c99a7a9449aa84174", "USDC.e", 6],
    ["0xc2132d05d31c914a87c6611c10748aeb04b58e8f", "USDT", 6],
  ],
  8453: [
    ["0x4200000000000000000000000000000000000006", "WETH", 18],
    ["0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "USDC", 6],
  ],
  42161: [
    ["0x82af49447d8a07e3bd95bd0d56f35241523fbab1", "WETH", 18],
    ["0xaf88d065e77c8cc2239327c5edb3a432268e5831", "USDC", 6],
    ["0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9", "USDT", 6],
  ],
};

/** Of mainnet. */
const ADDRESSES: readonly (readonly [address: string, name: string])[] = [
  ["0x7a250d5630b4cf539739df2c5dacb4c659f2488d", "Uniswap V2: Router"],
  ["0xe592427a0aece92de3edee1f18e0157c05861564", "Uniswap V3: Router"],
  ["0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45", "Uniswap: Router 2"],
  ["0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad", "Uniswap: Universal Router"],
  ["0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f", "SushiSwap: Router"],
  ["0x1111111254eeb25477b68fb85ed929f73a960582", "1inch: Router V5"],
  ["0xdef1c0ded9bec7f1a1670819833240f027b25eff", "0x: Exchange Proxy"],
  ["0xba12222222228d8ba445958a75a0704d566bf2c8", "Balancer: Vault"],
  ["0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9", "Aave V2: Pool"],
  ["0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc", "Uniswap V2: USDC/WETH"],
  ["0x0d4a11d5eeaac28ec3f61d100daf4d40471f1852", "Uniswap V2: WETH/USDT"],
  ["0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640", "Uniswap V3: USDC/WETH 0.05%"],
  ["0x28c6c06298d514db089934071355e5743bf21d60", "Binance 14"],
  ["0x21a31ee1afc51d94c2efccaa2092ad1028285549", "Binance 15"],
  ["0x71660c4005ba85c37ccec55d0c4493e66fe775d3", "Coinbase 1"],
  ["0x2910543af39aba0cd09dbb2d50200b3e800a63d2", "Kraken 1"],
];

/** A chain's own coin stands at these two where a token's address is asked for. */
const COINS: Readonly<Record<number, string>> = {
  1: "ETH",
  10: "ETH",
  56: "BNB",
  137: "POL",
  8453: "ETH",
  42161: "ETH",
};
const NATIVE = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
const ZERO = "0x0000000000000000000000000000000000000000";

/** By chain, then by address. */
export const BUNDLED: readonly Label[] = [
  ...Object.entries(TOKENS).flatMap(([chainId, tokens]) =>
    tokens.map(([address, symbol, decimals]) => ({
      chainId: Number(chainId),
      address,
      name: symbol,
      symbol,
      decimals,
    })),
  ),
  ...ADDRESSES.map(([address, name]) => ({ chainId: 1, address, name, symbol: null, decimals: null })),
  ...Object.entries(COINS).flatMap(([chainId, symbol]) =>
    [
      [NATIVE, symbol],
      [ZERO, "zero address"],
    ].map(([address, name]) => ({ chainId: Number(chainId), address: address!, name: name!, symbol, decimals: 18 })),
  ),
].sort((a, b) => a.chainId - b.chainId || (a.address < b.address ? -1 : 1));

const byKey = new Map(BUNDLED.map((label) => [keyOf(label), label]));

/** Needs no store. */
export const bundledLabel = (of: Pick<Label, "chainId" | "address">): Label | undefined => byKey.get(keyOf(of));
