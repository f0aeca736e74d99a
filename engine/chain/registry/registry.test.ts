import { expect, test } from "vitest";
import { keccak256 } from "../../condition/abi/keccak.ts";
import { builtInRegistry, createRegistry } from "./registry.ts";

test("selectors are the hashes of the signatures beside them", () => {
  for (const [selector, signature] of builtInRegistry.methods)
    expect([signature, selector]).toEqual([signature, keccak256(Buffer.from(signature)).slice(0, 10)]);
});

test("addresses are in lower case, and a chain has what detectors ask for", () => {
  const address = expect.stringMatching(/^0x[0-9a-f]{40}$/);
  for (const { wrapped, routers, stableCoins, nativeToken, blockSeconds } of builtInRegistry.chains.values()) {
    for (const one of [wrapped, ...routers.keys(), ...stableCoins.keys()]) expect(one).toEqual(address);
    expect(nativeToken).toMatch(/^[A-Z]+$/);
    expect(blockSeconds).toBeGreaterThan(0);
  }
  for (const { contracts } of builtInRegistry.protocols) for (const one of contracts) expect(one).toEqual(address);
  expect([...builtInRegistry.chains.keys()].sort((a, b) => a - b)).toEqual([1, 10, 56, 137, 8453, 42161]);
});

test("what is given comes to what is built in, or replaces it", () => {
  const router = `0x${"12".repeat(20)}`;
  const factory = `0x${"34".repeat(20)}`;
  const mine = { name: "Mine", keep: 9_990, routers: [router] };
  const v3 = { name: "Mine", tickSpacings: { "500": 10 }, routers: [router] };
  const [v2] = builtInRegistry.protocols;
  const { chains, methods, protocols } = createRegistry({
    chains: [
      { id: 56, blockSeconds: 0.75, routers: { [router]: "Mine" }, v2Factories: { [factory]: mine } },
      { id: 250, name: "Fantom", routers: {}, v3Factories: { [factory]: v3 } },
    ],
    methods: { "0x12345678": "go()" },
    protocols: [{ name: "my_v2", layout: "uniswap_v2", topic0: v2!.topic0 }],
  });
  expect(chains.get(56)).toMatchObject({ name: "BSC", blockSeconds: 0.75 });
  expect(chains.get(56)!.routers.get(router)).toBe("Mine");
  expect(chains.get(56)!.routers.size).toBe(builtInRegistry.chains.get(56)!.routers.size + 1);
  expect(chains.get(56)!.v2Routers.get(router)).toEqual({ address: factory, ...mine });
  expect(chains.get(56)!.v2Factories.size).toBe(builtInRegistry.chains.get(56)!.v2Factories.size + 1);
  expect(chains.get(250)!.v3Routers.get(router)).toEqual({ address: factory, ...v3 });
  const none = { routers: new Map(), stableCoins: new Map(), v2Factories: new Map(), v2Routers: new Map() };
  expect(chains.get(250)).toMatchObject({ id: 250, name: "Fantom", ...none, multicall: undefined });
  expect(methods.get("0x12345678")).toBe("go()");
  expect(methods.size).toBe(builtInRegistry.methods.size + 1);
  expect(protocols).toHaveLength(builtInRegistry.protocols.length);
  expect(protocols[0]).toMatchObject({ name: "my_v2", proven: false });
});
