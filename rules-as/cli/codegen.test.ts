/** Readers made of real ABIs, compiled, and held against viem on the logs and calls of the bundled recording. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Abi,
  type AbiEvent,
  decodeEventLog,
  decodeFunctionData,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  pad,
  parseAbi,
  toEventSelector,
} from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TransactionRecord } from "../../engine/frame/writeFrame.ts";
import { readLines } from "../../engine/source/recording.ts";
import { buildRule } from "./build.ts";
import { generateReaders } from "./codegen.ts";
import { formatDiagnostic } from "./diagnostics.ts";
import { mined, sampleTransaction, type TriedRule, tryModule } from "./tryRule.ts";

const RECORDING = fileURLToPath(new URL("../../test/recordings/dex.ndjson.gz", import.meta.url));
/** Of the recording: enough of each kind, and no more time than that. */
const LINES = 8_000;
const require = createRequire(import.meta.url);
const abiOf = (artifact: string): string => JSON.stringify(require(artifact).abi);
const PAIR = abiOf("@uniswap/v2-core/build/IUniswapV2Pair.json");
const POOL = abiOf("@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json");
const ROUTER = abiOf("@uniswap/v2-periphery/build/IUniswapV2Router02.json");

let folder: string;
let recording: TransactionRecord[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-codegen-"));
  recording = [];
  for await (const line of readLines(RECORDING)) {
    recording.push(JSON.parse(line.toString()) as TransactionRecord);
    if (recording.length === LINES) break;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A rule beside readers of these ABIs, by file name. */
async function ruleWith(abis: Record<string, string>, rule: string): Promise<TriedRule> {
  for (const [name, abi] of Object.entries(abis))
    writeFileSync(join(folder, `${name}.ts`), generateReaders(abi, `${name}.json`).source);
  const file = join(folder, "reads.ts");
  writeFileSync(file, rule);
  const { wasm, diagnostics } = await buildRule(file);
  expect(diagnostics.map(formatDiagnostic).join("\n")).toBe("");
  return tryModule(wasm!);
}

/** Messages of all alerts, by transaction. */
const said = (rule: TriedRule, transactions: readonly TransactionRecord[]): string[][] =>
  rule.run(transactions).verdicts.map(({ alerts, failure }) => {
    expect(failure).toBeNull();
    return alerts.map((text) => text.replace(/^info: /, ""));
  });

/** A decoder of one event. Asked by topic first: viem hashes every signature of its ABI for every log. */
function decoderOf(abi: string, name: string) {
  const item = (JSON.parse(abi) as AbiEvent[]).find((one) => one.type === "event" && one.name === name)!;
  const topic = toEventSelector(item);
  return (log: { topics: readonly string[]; data: string }): Record<string, bigint | string> | undefined => {
    if (log.topics[0] !== topic) return undefined;
    return decodeEventLog({ abi: [item], topics: log.topics as [Hex], data: log.data as Hex }).args as never;
  };
}
const lower = (...values: unknown[]): string => values.map(String).join(" ").toLowerCase();

describe("readers", () => {
  test("of events say what viem says of every log of the recording", async () => {
    const rule = await ruleWith(
      { pair: PAIR, pool: POOL },
      `import { Tx, Severity, alert } from "@weir/rules";
import { Swap, Sync } from "./pair";
import { Swap as PoolSwap } from "./pool";
export function onTx(tx: Tx): void {
  for (let i: u32 = 0; i < tx.logCount; ++i) {
    const log = tx.log(i);
    if (Swap.matches(log)) {
      const s = Swap.decode(log);
      alert(Severity.Info, \`v2 \${s.sender} \${s.amount0In} \${s.amount1In} \${s.amount0Out} \${s.amount1Out} \${s.to}\`);
    } else if (PoolSwap.matches(log)) {
      const s = PoolSwap.decode(log);
      const zero = s.amount0IsNegative ? "-" : "", one = s.amount1IsNegative ? "-" : "";
      alert(Severity.Info, \`v3 \${s.recipient} \${zero}\${s.amount0} \${one}\${s.amount1} \${s.sqrtPriceX96} \${s.tick}\`);
    } else if (Sync.matches(log)) alert(Severity.Info, \`sync \${Sync.decode(log).reserve0}\`);
  }
}
`,
    );
    const [v2Swap, v3Swap, v2Sync] = [decoderOf(PAIR, "Swap"), decoderOf(POOL, "Swap"), decoderOf(PAIR, "Sync")];
    const expected = recording.map(({ receipt }) =>
      (receipt?.logs ?? []).flatMap((log) => {
        const v2 = v2Swap(log);
        if (v2) return lower("v2", v2.sender, v2.amount0In, v2.amount1In, v2.amount0Out, v2.amount1Out, v2.to);
        const v3 = v3Swap(log);
        if (v3) return lower("v3", v3.recipient, v3.amount0, v3.amount1, v3.sqrtPriceX96, v3.tick);
        const sync = v2Sync(log);
        return sync ? lower("sync", sync.reserve0) : [];
      }),
    );
    const all = expected.flat();
    for (const [kind, least] of [["v2", 500], ["v3", 30], ["sync", 500]] as const)
      expect(all.filter((text) => text.startsWith(kind)).length, kind).toBeGreaterThan(least); // biome-ignore format: one check
    expect(all.some((text) => /^v3 0x\w+ -\d/.test(text))).toBe(true);
    expect(said(rule, recording)).toEqual(expected);
  });

  test("of calls say what viem says of every call to a router, arrays included", async () => {
    const rule = await ruleWith(
      { router: ROUTER },
      `import { Tx, Severity, alert, filter } from "@weir/rules";
import { SwapExactTokensForTokensCall } from "./router";
filter.selector(SwapExactTokensForTokensCall.SELECTOR);
export function onTx(tx: Tx): void {
  if (!SwapExactTokensForTokensCall.matches(tx)) return;
  const call = SwapExactTokensForTokensCall.decode(tx);
  let path = "";
  for (let i: u32 = 0; i < call.path.length; ++i) path += \` \${call.path[i].asAddress()}\`;
  alert(Severity.Info, \`\${call.amountIn} \${call.amountOutMin} \${call.to} \${call.deadline}\${path}\`);
}
`,
    );
    const abi = JSON.parse(ROUTER) as Abi;
    const expected = recording.map(({ input }) => {
      if (!input.startsWith("0x38ed1739")) return [];
      const { args } = decodeFunctionData({ abi, data: input as Hex });
      const [amountIn, least, path, to, deadline] = args as [bigint, bigint, string[], string, bigint];
      return [lower(amountIn, least, to, deadline, ...path)];
    });
    expect(expected.flat().length).toBeGreaterThan(100);
    expect(said(rule, recording)).toEqual(expected);
  });

  const ODD = parseAbi([
    "struct Item { uint256 id; string label; bytes4 kind; }",
    "struct Point { int24 x; int128 y; bool up; }",
    "event Odd(string indexed name, int64 delta, bytes data, string text, uint8[3] three, uint256[] many)",
    "function put(Item item, Point point, Point[] points, address new, uint256)",
    "function put(uint256 once)",
  ]);
  const ODD_RULE = `import { Tx, Severity, alert, topic } from "@weir/rules";
import { Odd, PutCall, PutCall2 } from "./odd";
const ODD = topic(Odd.TOPIC);
export function onTx(tx: Tx): void {
  for (let i: u32 = 0; i < tx.logCount; ++i) if (tx.log(i).is(ODD)) {
    const odd = Odd.decode(tx.log(i));
    const some = odd.many.length > 0 ? odd.many[odd.many.length - 1].asU64() : 0;
    alert(Severity.Info, \`\${odd.nameHash} \${odd.delta} \${odd.data} \${odd.text} \${odd.three0}\${odd.three1}\${odd.three2} \${odd.many.length} \${some}\`);
  }
  if (PutCall2.matches(tx)) alert(Severity.Info, \`once \${PutCall2.decode(tx).once}\`);
  if (!PutCall.matches(tx)) return;
  const put = PutCall.decode(tx);
  alert(Severity.Info, \`\${put.item_id} \${put.item_label} \${put.item_kind.toString().slice(0, 10)} \${put.point_x} \${put.point_yIsNegative}\${put.point_y} \${put.point_up} \${put.new_} \${put.arg4}\`);
}
`;
  const ARGUMENTS = [
    { type: "int64" }, { type: "bytes" }, { type: "string" }, { type: "uint8[3]" }, { type: "uint256[]" },
  ] as const; // biome-ignore format: one line a type
  const TOPICS = [toEventSelector("Odd(string,int64,bytes,string,uint8[3],uint256[])"), pad("0x77")];
  const logged = (data: string): TransactionRecord =>
    sampleTransaction(mined({ logs: [{ address: `0x${"cc".repeat(20)}`, topics: TOPICS, data, logIndex: "0x0" }] }));

  test("know structs, signed numbers, text, overloads and names that are words of the language", async () => {
    const generated = generateReaders(JSON.stringify(ODD), "odd.json");
    expect(generated.leftOut).toEqual(["put.points: tuple[] is an array of what is not one word"]);
    expect([generated.events, generated.calls]).toEqual([["Odd"], ["PutCall", "PutCall2"]]);
    const rule = await ruleWith({ odd: JSON.stringify(ODD) }, ODD_RULE);
    const data = encodeAbiParameters(ARGUMENTS, [-5n, "0x010203", "grüße", [1, 2, 3], [7n, 8n, 9n]]);
    const owner = `0x${"ab".repeat(20)}` as const;
    const point = { x: -8_388_608, y: -(2n ** 127n), up: true };
    const item = { id: 2n ** 256n - 1n, label: "a label", kind: "0x12345678" } as const;
    const put = encodeFunctionData({ abi: ODD, functionName: "put", args: [item, point, [point], owner, 42n] });
    const once = encodeFunctionData({ abi: ODD, functionName: "put", args: [3n] });
    expect(said(rule, [logged(data), sampleTransaction({ input: put }), sampleTransaction({ input: once })])).toEqual([
      [`${TOPICS[1]} -5 0x010203 grüße 123 3 9`],
      [`${2n ** 256n - 1n} a label 0x12345678 -8388608 true${2n ** 127n} true ${owner} 42`],
      ["once 3"],
    ]);
  });

  test("never trap, whatever the data: offsets and lengths that point anywhere, and what is cut short", async () => {
    const rule = await ruleWith({ odd: JSON.stringify(ODD) }, ODD_RULE);
    const words = ["00".repeat(32), "ff".repeat(32), ...[1, 31, 32, 64, 224, 288, 2 ** 31, 2 ** 32 - 1].map((n) => n.toString(16).padStart(64, "0"))]; // biome-ignore format: one list
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const transactions = Array.from({ length: 2_000 }, () => {
      const data = Array.from({ length: random(14) }, () => words[random(words.length)]).join("");
      const cut = `0x${data.slice(0, data.length - 2 * random(33))}`;
      return { ...logged(cut), input: `${random(2) ? "0x5c4b3f0a" : putSelector}${cut.slice(2)}` };
    });
    const { verdicts } = rule.run(transactions);
    expect(verdicts.filter(({ failure }) => failure !== null)).toEqual([]);
    expect(verdicts.filter(({ alerts }) => alerts.length > 1).length).toBeGreaterThan(100);
  });
  const putSelector = encodeFunctionData({ abi: ODD, functionName: "put", args: [{ id: 0n, label: "", kind: "0x00000000" }, { x: 0, y: 0n, up: false }, [], `0x${"00".repeat(20)}`, 0n] }).slice(0, 10); // biome-ignore format: one call
});

test("what is no ABI is refused with the reason", () => {
  expect(() => generateReaders("{", "a.json")).toThrow('Cannot read the ABI "a.json"');
  expect(() => generateReaders('{"abi": 5}', "a.json")).toThrow("expected an array of events and functions");
  expect(() => generateReaders("[]", "a.json")).toThrow("neither events nor functions");
  const evil = [{ type: "event", name: "x(){}", inputs: [] }];
  expect(() => generateReaders(JSON.stringify(evil), "a.json")).toThrow("Cannot read the ABI");
  const anonymous = [
    { type: "event", name: "Quiet", anonymous: true, inputs: [] },
    { type: "function", name: "f" },
  ];
  expect(generateReaders(JSON.stringify(anonymous), "a.json")).toMatchObject({ events: [], calls: ["FCall"], leftOut: [expect.stringContaining("Quiet")] }); // biome-ignore format: one line
});
