import type { ProtocolData } from "./registryData.ts";

const ZERO_EX = [
  "0xdef1c0ded9bec7f1a1670819833240f027b25eff",
  "0xdef1abe32c034e558cdd535791643c58a13acc10", // Optimism
];

/** Kinds of logs, by protocol. Topics are hashes of the signatures in engine/chain/protocols, which a test computes. */
// biome-ignore format: a table
export const PROTOCOLS: readonly ProtocolData[] = [
  // pools that are called as Uniswap V2's are, whoever made them
  { name: "uniswap_v2", layout: "uniswap_v2", topic0: "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822" },
  { name: "uniswap_v2", layout: "kyber_dmm", topic0: "0x606ecd02b3e3b4778f8e97b2e03351de14224efaa5fa64e62200afc9395c2499" },
  { name: "solidly", layout: "solidly", topic0: "0xb3e2773606abfd36b5bd91394b3a54d1398336c65005baf7bf7a05efeffaf75b" },
  { name: "uniswap_v3", layout: "uniswap_v3", topic0: "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67" },
  { name: "uniswap_v3", layout: "pancake_v3", topic0: "0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83" },
  { name: "uniswap_v3", layout: "algebra_integral", topic0: "0x121cb44ee54098b1a04743c487e7460d8dd429b27f88b1f4d4767396e1a59f79" },
  { name: "uniswap_v4", layout: "uniswap_v4", topic0: "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f", contracts: [
    "0x000000000004444c5dc75cb358380d2e3de08a90", // Ethereum
    "0x9a13f98cb987694c9f086b1f5eb990eea8264ec3", // Optimism
    "0x28e2ea090877bf75740558f6bfb36a5ffee9e9df", // BSC
    "0x67366782805870060151383f4bbff9dab53e5cd6", // Polygon
    "0x498581ff718922c3f8e6a244956af099b2652b2b", // Base
    "0x360e68faccca8ca495c1b759fd9eee466db9fb32", // Arbitrum
  ] },
  { name: "balancer_v1", layout: "balancer_v1", topic0: "0x908fb5ee8f16c6bc9bc3690973819f32a4d4b10188134543c88706e0e1d43378" },
  { name: "balancer_v1", layout: "cream", topic0: "0x50ef2fc267012b5c84b56835f16ffd5331ac5a151a3760d74908721ba78b0efe" },
  { name: "balancer_v2", layout: "balancer_v2", topic0: "0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b", contracts: ["0xba12222222228d8ba445958a75a0704d566bf2c8"] },
  { name: "balancer_v3", layout: "balancer_v3", topic0: "0x0874b2d545cb271cdbda4e093020c452328b24af12382ed62c4d00f5c26709db", contracts: ["0xba1333333333a1ba1108e8412f11850a5c319ba9"] },
  { name: "curve", layout: "curve", topic0: "0x8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140" },
  { name: "curve", layout: "curve_underlying", topic0: "0xd013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b" },
  { name: "curve", layout: "curve_crypto", topic0: "0xb2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98" },
  { name: "curve", layout: "curve_crypto_ng", topic0: "0x143f1f8e861fbdeddd5b46e844b7d3ac7b86a122f36e8c463859ee6811b1f29c" },
  { name: "bancor", layout: "bancor", topic0: "0x276856b36cbc45526a0ba64f44611557a2a8b68662c5388e9fe6d72e86e1c8cb" },
  { name: "dodo", layout: "dodo_v1_sell", topic0: "0xd8648b6ac54162763c86fd54bf2005af8ecd2f9cb273a5775921fd7f91e17b2d" },
  { name: "dodo", layout: "dodo_v1_buy", topic0: "0xe93ad76094f247c0dafc1c61adc2187de1ac2738f7a3b49cb20b2263420251a3" },
  { name: "dodo", layout: "dodo_v2", topic0: "0xc2c0245e056d5fb095f04cd6373bc770802ebd1e6c918eb78fdef843cdb37b0f" },
  { name: "trader_joe", layout: "liquidity_book_v20", topic0: "0xc528cda9e500228b16ce84fadae290d9a49aecb17483110004c5af0a07f6fd73" },
  { name: "trader_joe", layout: "liquidity_book_v21", topic0: "0xad7d6f97abf51ce18e17a38f4d70e975be9c0708474987bb3e26ad21bd93ca70" },
  { name: "0x", layout: "0x_fill_v2", topic0: "0x0bcc4c97732e47d9946f229edb95f5b6323f601300e4690de719993f3c371129", contracts: [
    "0x4f833a24e1f95d70f028921e27040ca56e09ab0b", "0x080bf510fcbf18b91105470639e9561022937712",
  ] },
  { name: "0x", layout: "0x_fill_v3", topic0: "0x6869791f0a34781b29882982cc39e882768cf2c96995c2a110c577c53bc932d5", contracts: ["0x61935cbdd02287b511119ddb11aeb42f1593b7ef"] },
  { name: "0x", layout: "0x_limit", topic0: "0xab614d2b738543c0ea21f56347cf696a3a0c42a7cbec3212a5ca22a4dcff2124", contracts: ZERO_EX },
  { name: "0x", layout: "0x_rfq", topic0: "0x829fa99d94dc4636925b38632e625736a614c154d55006b7ab6bea979c210c32", contracts: ZERO_EX },
  { name: "0x", layout: "0x_otc", topic0: "0xac75f773e3a92f1a02b12134d65e1f47f8a14eabe4eaf1e24624918e6a8b269f", contracts: ZERO_EX },
  { name: "0x", layout: "0x_transformed", topic0: "0x0f6672f78a59ba8e5e5b5d38df3ebc67f3c792e2c9259b8d97d7f00dd78ba1b3", contracts: ZERO_EX },
  { name: "0x", layout: "0x_provided", topic0: "0x40a6ba9513d09e3488135e0e0d10e2d4382b792720155b144cbea89ac9db6d34", contracts: ZERO_EX },
];

/** Of these no real log is among the fixtures (protocols/fixtures.ndjson), so that what is found by them is never of high confidence. */
export const UNPROVEN: ReadonlySet<string> = new Set([
  "0x40a6ba9513d09e3488135e0e0d10e2d4382b792720155b144cbea89ac9db6d34", // 0x_provided
]);
