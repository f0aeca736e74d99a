import { balancerV1, balancerV2, balancerV3, cream } from "./balancer.ts";
import { bancor } from "./bancor.ts";
import { curve, curveCrypto, curveCryptoNg, curveUnderlying } from "./curve.ts";
import { dodoV1Buy, dodoV1Sell, dodoV2 } from "./dodo.ts";
import type { Layout } from "./exchange.ts";
import { liquidityBookV20, liquidityBookV21 } from "./traderJoe.ts";
import { kyberDmm, solidly, uniswapV2 } from "./uniswapV2.ts";
import { algebraIntegral, pancakeV3, uniswapV3 } from "./uniswapV3.ts";
import { uniswapV4 } from "./uniswapV4.ts";
import {
  zeroExFillV2,
  zeroExFillV3,
  zeroExLimit,
  zeroExOtc,
  zeroExProvided,
  zeroExRfq,
  zeroExTransformed,
} from "./zeroEx.ts";

/** The kinds of logs that we can read, by the names that a registry uses for them. */
export const LAYOUTS = {
  uniswap_v2: uniswapV2,
  kyber_dmm: kyberDmm,
  solidly,
  uniswap_v3: uniswapV3,
  pancake_v3: pancakeV3,
  algebra_integral: algebraIntegral,
  uniswap_v4: uniswapV4,
  balancer_v1: balancerV1,
  cream,
  balancer_v2: balancerV2,
  balancer_v3: balancerV3,
  curve,
  curve_underlying: curveUnderlying,
  curve_crypto: curveCrypto,
  curve_crypto_ng: curveCryptoNg,
  bancor,
  dodo_v1_sell: dodoV1Sell,
  dodo_v1_buy: dodoV1Buy,
  dodo_v2: dodoV2,
  liquidity_book_v20: liquidityBookV20,
  liquidity_book_v21: liquidityBookV21,
  "0x_fill_v2": zeroExFillV2,
  "0x_fill_v3": zeroExFillV3,
  "0x_limit": zeroExLimit,
  "0x_rfq": zeroExRfq,
  "0x_otc": zeroExOtc,
  "0x_transformed": zeroExTransformed,
  "0x_provided": zeroExProvided,
} as const satisfies Record<string, Layout>;

export type LayoutName = keyof typeof LAYOUTS;
