import { describe, expect, it } from "vitest";
import { loadConfig } from "../ops/config.ts";
import { EXIT, exitCodeOf } from "../ops/errors.ts";
import { blockNumber, chainOf, nodesOf, wholeNumber } from "./chains.ts";

describe("chainOf()", () => {
  it.each([
    ["ethereum", { id: 1, name: "Ethereum" }],
    ["BSC", { id: 56, name: "BSC" }],
    ["137", { id: 137, name: "Polygon" }],
    ["31337", { id: 31337, name: "31337" }],
  ])("%s", (text, chain) => expect(chainOf(text)).toEqual(chain));

  it.each(["narnia", "0", "-1", "1.5", ""])('refuses "%s" with the names that it knows', (text) => {
    expect(() => chainOf(text)).toThrow(/it is not known, expected a chain id, or one of ethereum, /);
  });
});

describe("nodesOf()", () => {
  const { config } = loadConfig({ env: { ETHEREUM_RPC_URL: "wss://a,https://b", WEIR_RPC_URLS: "100=https://c" } });
  it.each([
    ["1", ["wss://a", "https://b"]],
    ["100", ["https://c"]],
  ])("of chain %s", (chain, urls) => expect(nodesOf(config, chainOf(chain))).toEqual(urls));

  it.each([
    ["56", "BSC_RPC_URLS: it names no node of chain 56, expected https://… or wss://…"],
    ["5", "WEIR_RPC_URLS: it names no node of chain 5, expected 5=https://…"],
  ])("says how to configure those of chain %s", (chain, message) => {
    const ask = () => nodesOf(config, chainOf(chain));
    expect(ask).toThrow(message);
    try {
      ask();
    } catch (error) {
      expect(exitCodeOf(error)).toBe(EXIT.config);
    }
  });
});

describe("numbers of the command line", () => {
  it("are whole and in their range", () => {
    expect([blockNumber("--from", "0"), wholeNumber("--rate", "1"), wholeNumber("--ahead", "64", 64)]).toEqual([
      0, 1, 64,
    ]);
    expect(() => blockNumber("--from", "0x10")).toThrow('Cannot use --from "0x10": expected a block number');
    expect(() => blockNumber("--from", "-1")).toThrow("expected a block number");
    expect(() => wholeNumber("--repeat", "0")).toThrow('Cannot use --repeat "0": expected a whole number from 1');
    expect(() => wholeNumber("--ahead", "65", 64)).toThrow("expected a whole number from 1 to 64");
  });
});
