import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConfigError } from "../../ops/config.ts";
import { readRegistry } from "./readRegistry.ts";
import { createRegistry } from "./registry.ts";

const scratch = mkdtempSync("/tmp/weir-registry-");
afterAll(() => rmSync(scratch, { recursive: true }));

function written(content: unknown): string {
  const path = join(scratch, `${Math.random()}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function problemsOf(content: unknown): string[] {
  try {
    readRegistry(written(content));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, problem, expected }) => {
      expect(variable).toBe("WEIR_REGISTRY");
      return expected ? `${problem}, expected ${expected}` : problem;
    });
  }
  return [];
}

const ADDRESS = `0x${"Ab".repeat(20)}`;
const TOPIC = `0x${"Cd".repeat(32)}`;

test("a registry file comes to what is built in, its hex in either case", () => {
  const data = readRegistry(
    written({
      chains: [
        {
          id: 250,
          name: "Fantom",
          nativeToken: "FTM",
          wrapped: ADDRESS,
          blockSeconds: 1,
          stableCoins: { [ADDRESS]: 6 },
          routers: { [ADDRESS]: "Spooky" },
          v2Factories: { [ADDRESS]: { name: "Spooky", keep: 9_980, routers: [ADDRESS] } },
          pools: { "FTM-USDC": ADDRESS },
        },
      ],
      methods: { "0x38ED1739": "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)" },
      protocols: [{ name: "spooky", layout: "uniswap_v2", topic0: TOPIC, contracts: [ADDRESS] }],
    }),
  );
  const { chains, protocols } = createRegistry(data);
  expect(chains.get(250)?.routers.get(ADDRESS.toLowerCase())).toBe("Spooky");
  expect([...chains.get(250)!.pools]).toEqual([["FTM-USDC", ADDRESS.toLowerCase()]]);
  expect(chains.get(250)?.wrapped).toBe(ADDRESS.toLowerCase());
  expect(chains.get(250)?.v2Routers.get(ADDRESS.toLowerCase())?.keep).toBe(9_980);
  expect(protocols.at(-1)).toMatchObject({
    name: "spooky",
    topic0: TOPIC.toLowerCase(),
    contracts: new Set([ADDRESS.toLowerCase()]),
    proven: false,
  });
  expect(readRegistry(undefined)).toEqual({});
});

test("the example of the README can be read", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, example] = /WEIR_REGISTRY names[^`]*?(?:`[^`]*`[^`]*?)*```json\n(.*?)```/s.exec(readme)!;
  const { chains, protocols } = createRegistry(readRegistry(written(example)));
  expect(chains.get(250)?.name).toBe("Fantom");
  expect(protocols.at(-1)?.name).toBe("my_dex");
});

test("all mistakes of a file are told at once, each with its place and what is expected", () => {
  const problems = problemsOf({
    chains: [
      { id: 0, wraped: ADDRESS, routers: { "0x12": "Short" }, stableCoins: { [ADDRESS]: 99 } },
      { name: "no id" },
    ],
    methods: { "0x12345678": "transfer(address,uint256)" },
    protocols: [{ name: "", topic0: "0x1", layout: "uniswap_v22", contracts: ["here"] }, { name: "é".repeat(17) }],
    chain: [],
  });
  const of = (place: string) => problems.filter((problem) => problem.startsWith(`${place}: `)).join("\n");
  expect(of("all")).toContain('there is no "chain", expected chains, methods, protocols. Did you mean "chains"?');
  expect(of("chains[0]")).toContain('there is no "wraped"');
  expect(of("chains[0]")).toContain('Did you mean "wrapped"?');
  expect(of("chains[0].id")).toContain("expected a chain id");
  expect(of("chains[0].routers.0x12")).toContain("expected an address, 0x and 40 hex digits");
  expect(of(`chains[0].stableCoins.${ADDRESS.toLowerCase()}`) || of(`chains[0].stableCoins.${ADDRESS}`)).toContain(
    "expected decimals, 0 to 36",
  );
  expect(of("chains[1].id")).toContain("expected a chain id");
  expect(of("methods.0x12345678")).toContain("has the selector 0xa9059cbb, expected 0x12345678");
  expect(of("protocols[0].name")).toContain("expected a name");
  expect(of("protocols[1].name")).toContain("expected at most 32 bytes");
  expect(of("protocols[0].topic0")).toContain("expected a topic, 0x and 64 hex digits");
  expect(of("protocols[0].layout")).toContain('Did you mean "uniswap_v2"?');
  expect(of("protocols[0].contracts[0]")).toContain("expected an address");
});

test.each([
  ["what is no JSON", "{", "it cannot be read"],
  ["a list", "[]", "all: expected an object"],
  [
    "too many chains",
    { chains: Array.from({ length: 257 }, (_, id) => ({ id: id + 1 })) },
    "chains: expected at most 256",
  ],
  ["too large a file", " ".repeat(1024 * 1024 + 1), "it has 1048577 bytes, expected at most 1048576"],
])("%s is refused", (_, content, expected) => {
  expect(problemsOf(content).join("\n")).toContain(expected);
});

test("a file that is not there is refused by its path", () => {
  expect(() => readRegistry(join(scratch, "none.json"))).toThrow(
    /WEIR_REGISTRY.*none\.json.*it cannot be read: ENOENT/s,
  );
});
