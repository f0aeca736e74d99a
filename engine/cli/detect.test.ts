import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readLines } from "../source/recording.ts";
import { BUNDLED_RECORDING } from "./bundled.ts";
import { amountsOf } from "./detect.ts";
import { createWorkbench, type Workbench, weir } from "./rule/testCommand.ts";

vi.setConfig({ testTimeout: 120_000 });

/** What the script that made the bundled recording knows, since it sent it. */
const truth = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../test/recordings/truth.json", import.meta.url)), "utf8"),
) as {
  swaps: Record<string, number>;
  arbitrageList: { hash: string; account: string; profitToken: string; profit: string }[];
  sandwichList: { pool: string; front: string; victims: string[]; back: string; profit: string }[];
};

interface Line {
  readonly kind: string;
  readonly tx_hash: string;
  readonly [field: string]: unknown;
}

let bench: Workbench;
beforeAll(() => {
  bench = createWorkbench();
});
afterAll(() => bench.remove());

/** Lines of the bundled recording that a test's file has. */
async function part(take: (line: { blockNumber: string | null }) => boolean): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(BUNDLED_RECORDING))
    if (take(JSON.parse(line.toString()))) lines.push(line.toString());
  return lines;
}

describe("weir detect", () => {
  test("finds what the bundled recording was made with, no less and no more, in the same bytes each time", async () => {
    const first = await weir(["detect", BUNDLED_RECORDING, "--json"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const lines = first.lines<Line>();
    const of = (kind: string): Line[] => lines.filter((line) => line.kind === kind);

    const swaps = Object.values(truth.swaps).reduce((sum, count) => sum + count, 0);
    expect(of("swap")).toHaveLength(swaps);
    expect(of("arbitrage").map((line) => [line.tx_hash, line.account, line.profit_token, line.profit_amount])).toEqual(
      truth.arbitrageList.map(({ hash, account, profitToken, profit }) => [hash, account, profitToken, profit]),
    );
    const place = (text: { pool: unknown; front: unknown; back: unknown }) => `${text.front} ${text.back} ${text.pool}`;
    expect(
      new Map(
        of("sandwich").map((line) => [
          place({ pool: line.pool, front: line.frontrun_tx, back: line.backrun_tx }),
          [line.victim_txs, line.profit_amount],
        ]),
      ),
    ).toEqual(new Map(truth.sandwichList.map((each) => [place(each), [each.victims, each.profit]])));
    expect(of("sandwich")).toHaveLength(truth.sandwichList.length);
    for (const { victim_losses } of of("sandwich"))
      for (const { amount } of victim_losses as { amount: string | null }[])
        expect(BigInt(amount!)).toBeGreaterThan(0n);

    const order = lines.map((line) => [line.block_number, line.log_index]);
    expect(order).toEqual([...order].sort((a, b) => Number(a[0]) - Number(b[0])));
    expect((await weir(["detect", BUNDLED_RECORDING, "--json"])).stdout).toBe(first.stdout);
  });

  test("narrows by kind and block", async () => {
    const { lines } = await weir(["detect", BUNDLED_RECORDING, "--kind", "sandwich,arbitrage", "--block", "100-103"]);
    const found = lines<Line>().map((line) => `${line.block_number} ${line.kind}`);
    expect(new Set(found.map((text) => text.split(" ")[1]))).toEqual(new Set(["sandwich", "arbitrage"]));
    expect(found.every((text) => /^10[0-3] /.test(text))).toBe(true);
  });

  test("says nothing of whole blocks where some of the block is missing", async () => {
    const [block] = truth.sandwichList.map(({ front }) => front);
    const all = await part(({ blockNumber }) => blockNumber === "0x64");
    expect(all.some((line) => line.includes(block!))).toBe(true);
    const whole = bench.write("whole.ndjson", all.join("\n"));
    const less = bench.write("less.ndjson", all.slice(0, -1).join("\n"));
    const found = async (file: string) => (await weir(["detect", file])).lines<Line>();
    expect((await found(whole)).some(({ kind, status }) => kind === "sandwich" && status === "confirmed")).toBe(true);
    expect((await found(less)).some(({ kind }) => kind === "sandwich")).toBe(false);
    expect((await found(less)).every(({ status }) => status === "provisional")).toBe(true);
  });

  test("says what is in a block once, though the block is in the file twice", async () => {
    const [first, second] = [
      await part(({ blockNumber }) => blockNumber === "0x64"),
      await part(({ blockNumber }) => blockNumber === "0x65"),
    ];
    const once = bench.write("once.ndjson", [...first, ...second].join("\n"));
    const twice = bench.write("twice.ndjson", [...first, ...second, ...first, ...second, ...second].join("\n"));
    const { stdout } = await weir(["detect", once]);
    expect(stdout).toContain('"kind":"sandwich"');
    expect(await weir(["detect", twice])).toMatchObject({ code: 0, stdout });
  });

  test("names each line that is no transaction, looks at the rest, and exits with 1", async () => {
    const lines = await part(({ blockNumber }) => blockNumber === "0x64");
    const file = bench.write("broken.ndjson", ["{", ...lines, '{"hash":"0x1"}', ""].join("\n"));
    const { code, stderr, lines: found } = await weir(["detect", file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:1: Cannot decode transaction: byte 1 is cut off`);
    expect(stderr).toContain(`${file}:${lines.length + 2}: Cannot decode transaction: "hash"`);
    expect(stderr).toContain(`Cannot take 2 lines of "${file}": no transaction`);
    expect(found<Line>().some(({ kind }) => kind === "sandwich")).toBe(true);
  });

  test.each([
    [["nowhere.ndjson"], 1, 'Cannot read the recording "nowhere.ndjson"'],
    [[BUNDLED_RECORDING, "--kind", "swaps"], 2, '"swaps" is no kind; expected some of swap, arbitrage'],
    [[BUNDLED_RECORDING, "--block", "9-1"], 2, "the lower one first"],
  ])("refuses %s", async (args, code, message) => {
    const ended = await weir(["detect", ...args]);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(message);
  });

  test("refuses a file without mined transactions", async () => {
    const pending = await part(({ blockNumber }) => blockNumber === null);
    const file = bench.write("pending.ndjson", pending.slice(0, 3).join("\n"));
    expect(await weir(["detect", file])).toMatchObject({ code: 1, stdout: "" });
  });
});

test("a person reads amounts by their tokens, exact ones where a token is not known", () => {
  const [weth, usdc, other] = ["0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", `0x${"77".repeat(20)}`]; // biome-ignore format: one line
  const shown = (record: object) => amountsOf({ chain_id: 1, ...record });
  const swap = {
    kind: "swap",
    token_in: weth,
    amount_in: "1250000000000000000",
    token_out: usdc,
    amount_out: "4000123456",
  };
  expect(shown(swap)).toBe("1.25 WETH → 4,000.12 USDC");
  expect(shown({ ...swap, token_out: other })).toBe("1.25 WETH → 4000123456 of 0x7777…7777");
  expect(shown({ ...swap, chain_id: 99, token_out: other })).toMatch(/^1250000000000000000 of 0xc02a…6cc2 →/);
  expect(shown({ kind: "arbitrage", profit_token: weth, profit_amount: "-42000000000000000" })).toBe("-0.042 WETH");
  expect(shown({ kind: "arbitrage", profit_token: weth, profit_amount: null })).toBe("");
  const paid = { debt_token: usdc, debt_amount: "5000000", collateral_token: weth, collateral_amount: `${2n ** 255n}` };
  expect(shown({ kind: "liquidation", ...paid })).toMatch(/^5 USDC for 57,896,[\d,]+\.79 WETH$/);
});
