import type { ChainData, V3FactoryData } from "./registryData.ts";

/** At one address on all of these chains. */
const MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11";
const UNISWAP_V3_FACTORY = "0x1f98431c8ad98523631ae4a59f267346ea31f984";
const PANCAKE_V3_FACTORY = "0x0bfbcf9fa4f9c56b0f40a671ad40e0805a091865";
const SWAP_ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564";
const SWAP_ROUTER_02 = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45";
const UNIVERSAL_ROUTERS = [
  "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b",
  "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
  "0x66a9893cc07d91d95644aedd05d03f95e1dba8af",
];

const uniswapV3 = (...routers: string[]): V3FactoryData => ({
  name: "Uniswap V3",
  tickSpacings: { 100: 1, 500: 10, 3000: 60, 10000: 200 },
  routers,
});
const pancakeV3 = (...routers: string[]): V3FactoryData => ({
  name: "PancakeSwap V3",
  tickSpacings: { 100: 1, 500: 10, 2500: 50, 10000: 200 },
  routers,
});

/** Chains with their DEX routers: those that seed 002 lists, and the most used. */
export const CHAINS: readonly ChainData[] = [
  {
    id: 1,
    name: "Ethereum",
    nativeToken: "ETH",
    wrapped: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
    blockSeconds: 12,
    stableCoins: {
      "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": 6, // USDC
      "0xdac17f958d2ee523a2206206994597c13d831ec7": 6, // USDT
      "0x6b175474e89094c44da98b954eedeac495271d0f": 18, // DAI
    },
    routers: {
      "0xf164fc0ec4e93095b804a4795bbe1e041497b92a": "Uniswap V2 Router 01",
      "0x7a250d5630b4cf539739df2c5dacb4c659f2488d": "Uniswap V2 Router 02",
      "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 Router",
      "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap V3 Router 02",
      "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b": "Uniswap Universal Router",
      "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad": "Uniswap Universal Router 1.2",
      "0x66a9893cc07d91d95644aedd05d03f95e1dba8af": "Uniswap Universal Router V2",
      "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f": "SushiSwap",
      "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer",
      "0xdef1c0ded9bec7f1a1670819833240f027b25eff": "0x Exchange Proxy",
      "0x1111111254fb6c44bac0bed2854e76f90643097d": "1inch V4",
      "0x1111111254eeb25477b68fb85ed929f73a960582": "1inch V5",
      "0x111111125421ca6dc452d289314280a0f8842a65": "1inch V6",
    },
    v2Factories: {
      "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f": {
        name: "Uniswap V2",
        keep: 9970,
        routers: [
          "0xf164fc0ec4e93095b804a4795bbe1e041497b92a",
          "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
          SWAP_ROUTER_02,
          ...UNIVERSAL_ROUTERS,
        ],
      },
      "0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac": {
        name: "SushiSwap",
        keep: 9970,
        routers: ["0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f"],
      },
    },
    v3Factories: {
      [UNISWAP_V3_FACTORY]: uniswapV3(SWAP_ROUTER, SWAP_ROUTER_02, ...UNIVERSAL_ROUTERS),
      [PANCAKE_V3_FACTORY]: pancakeV3(),
      "0xbaceb8ec6b9355dfc0269c18bac9d6e2bdc29c4f": { ...uniswapV3(), name: "SushiSwap V3" },
    },
    multicall: MULTICALL3,
  },
  {
    id: 56,
    name: "BSC",
    nativeToken: "BNB",
    wrapped: "0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c",
    blockSeconds: 3,
    stableCoins: {
      "0x55d398326f99059ff775485246999027b3197955": 18, // USDT
      "0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d": 18, // USDC
      "0xe9e7cea3dedca5984780bafc599bd69add087d56": 18, // BUSD
    },
    routers: {
      "0x10ed43c718714eb63d5aa57b78b54704e256024e": "PancakeSwap V2",
      "0x13f4ea83d0bd40e75c8222255bc855a974568dd4": "PancakeSwap V3",
      "0x3a6d8ca21d1cf76f653a67577fa0d27453350dd8": "BiSwap",
      "0xcf0febd3f17cef5b47b0cd257acf6025c5bff3b7": "ApeSwap",
      "0xd4ae6eca985340dd434d38f470accce4dc78d109": "THENA",
    },
    v2Factories: {
      "0xca143ce32fe78f1f7019d7d551a6402fc5350c73": {
        name: "PancakeSwap V2",
        keep: 9975,
        routers: ["0x10ed43c718714eb63d5aa57b78b54704e256024e"],
      },
      "0x0841bd0b734e4f5853f0dd8d7ea041c241fb0da6": {
        name: "ApeSwap",
        keep: 9980,
        routers: ["0xcf0febd3f17cef5b47b0cd257acf6025c5bff3b7"],
      },
    },
    pools: {
      "WBNB-BUSD": "0x58f876857a02d6762e0101bb5c46a8c1ed44dc16",
      "WBNB-USDT": "0x16b9a82891338f9ba80e2d6970fdda79d1eb0dae",
    },
    v3Factories: {
      [PANCAKE_V3_FACTORY]: pancakeV3("0x13f4ea83d0bd40e75c8222255bc855a974568dd4"),
      "0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7": uniswapV3(),
    },
    multicall: MULTICALL3,
  },
  {
    id: 137,
    name: "Polygon",
    nativeToken: "POL",
    wrapped: "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270",
    blockSeconds: 2,
    stableCoins: {
      "0x2791bca1f2de4661ed88a30c99a7a9449aa84174": 6, // USDC.e
      "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359": 6, // USDC
      "0xc2132d05d31c914a87c6611c10748aeb04b58e8f": 6, // USDT
      "0x8f3cf7ad23cd3cadbd9735aff958023239c6a063": 18, // DAI
    },
    routers: {
      "0xa5e0829caced8ffdd4de3c43696c57f7d7a678ff": "QuickSwap",
      "0xf5b509bb0909a69b1c207e495f687a596c168e12": "QuickSwap V3",
      "0x1b02da8cb0d097eb8d57a175b88c7d8b47997506": "SushiSwap",
      "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 Router",
      "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap V3 Router 02",
      "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer",
    },
    v2Factories: {
      "0x5757371414417b8c6caad45baef941abc7d3ab32": {
        name: "QuickSwap",
        keep: 9970,
        routers: ["0xa5e0829caced8ffdd4de3c43696c57f7d7a678ff"],
      },
      "0xc35dadb65012ec5796536bd9864ed8773abc74c4": {
        name: "SushiSwap",
        keep: 9970,
        routers: ["0x1b02da8cb0d097eb8d57a175b88c7d8b47997506"],
      },
    },
    v3Factories: {
      [UNISWAP_V3_FACTORY]: uniswapV3(SWAP_ROUTER, SWAP_ROUTER_02),
    },
    multicall: MULTICALL3,
  },
  {
    id: 42161,
    name: "Arbitrum",
    nativeToken: "ETH",
    wrapped: "0x82af49447d8a07e3bd95bd0d56f35241523fbab1",
    blockSeconds: 0.25,
    stableCoins: {
      "0xaf88d065e77c8cc2239327c5edb3a432268e5831": 6, // USDC
      "0xff970a61a04b1ca14834a43f5de4533ebddb5cc8": 6, // USDC.e
      "0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9": 6, // USDT
      "0xda10009cbd5d07dd0cecc66161fc93d7c9000da1": 18, // DAI
    },
    routers: {
      "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 Router",
      "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap V3 Router 02",
      "0x1b02da8cb0d097eb8d57a175b88c7d8b47997506": "SushiSwap",
      "0xc873fecbd354f5a56e00e710b90ef4201db2448d": "Camelot",
      "0xb4315e873dbcf96ffd0acd8ea43f689d8c20fb30": "Trader Joe Liquidity Book",
      "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer",
    },
    v2Factories: {
      "0xc35dadb65012ec5796536bd9864ed8773abc74c4": {
        name: "SushiSwap",
        keep: 9970,
        routers: ["0x1b02da8cb0d097eb8d57a175b88c7d8b47997506"],
      },
    },
    v3Factories: {
      [UNISWAP_V3_FACTORY]: uniswapV3(SWAP_ROUTER, SWAP_ROUTER_02),
      [PANCAKE_V3_FACTORY]: pancakeV3(),
    },
    multicall: MULTICALL3,
  },
  {
    id: 10,
    name: "Optimism",
    nativeToken: "ETH",
    wrapped: "0x4200000000000000000000000000000000000006",
    blockSeconds: 2,
    stableCoins: {
      "0x0b2c639c533813f4aa9d7837caf62653d097ff85": 6, // USDC
      "0x7f5c764cbc14f9669b88837ca1490cca17c31607": 6, // USDC.e
      "0x94b008aa00579c1307b0ef2c499ad98a8ce58e58": 6, // USDT
      "0xda10009cbd5d07dd0cecc66161fc93d7c9000da1": 18, // DAI
    },
    routers: {
      "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 Router",
      "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap V3 Router 02",
      "0x9c12939390052919af3155f41bf4160fd3666a6f": "Velodrome",
      "0xa062ae8a9c5e11aaa026fc2670b0d65ccc8b2858": "Velodrome V2",
      "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer",
    },
    v3Factories: {
      [UNISWAP_V3_FACTORY]: uniswapV3(SWAP_ROUTER, SWAP_ROUTER_02),
    },
    multicall: MULTICALL3,
  },
  {
    id: 8453,
    name: "Base",
    nativeToken: "ETH",
    wrapped: "0x4200000000000000000000000000000000000006",
    blockSeconds: 2,
    stableCoins: {
      "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913": 6, // USDC
      "0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca": 6, // USDbC
      "0x50c5725949a6f0c72e6c4a641f24049a917db0cb": 18, // DAI
    },
    routers: {
      "0x2626664c2603336e57b271c5c0b26f421741e481": "Uniswap V3 Router 02",
      "0x4752ba5dbc23f44d87826276bf6fd6b1c372ad24": "Uniswap V2 Router 02",
      "0xcf77a3ba9a5ca399b7c97c74d54e5b1beb874e43": "Aerodrome",
      "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer",
    },
    v2Factories: {
      "0x8909dc15e40173ff4699343b6eb8132c65e18ec6": {
        name: "Uniswap V2",
        keep: 9970,
        routers: ["0x4752ba5dbc23f44d87826276bf6fd6b1c372ad24"],
      },
    },
    v3Factories: {
      "0x33128a8fc17869897dce68ed026d694621f6fdfd": uniswapV3("0x2626664c2603336e57b271c5c0b26f421741e481"),
      [PANCAKE_V3_FACTORY]: pancakeV3(),
    },
    multicall: MULTICALL3,
  },
];
