import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createWorkbench, type Workbench, weirRule, weirRuleProcess } from "./testCommand.ts";

vi.setConfig({ testTimeout: 180_000 }); // a busy machine

let bench: Workbench;
beforeAll(() => {
  bench = createWorkbench();
});
afterAll(() => bench.remove());

const input = (name: string, type: string, indexed = false) => ({ name, type, indexed });
const ABI = [
  { type: "event", name: "Transfer", inputs: [input("from", "address", true), input("to", "address", true), input("value", "uint256")] },
  { type: "function", name: "transfer", inputs: [input("to", "address"), input("value", "uint256")], outputs: [], stateMutability: "nonpayable" },
  { type: "function", name: "names", inputs: [input("all", "string[]")], outputs: [], stateMutability: "view" },
]; // biome-ignore format: one item a line

test("writes readers that a rule can import, and says what it left out", async () => {
  bench.write("erc20.json", JSON.stringify({ abi: ABI }));
  const printed = await weirRuleProcess(["codegen", "erc20.json"], { cwd: bench.folder });
  expect(printed).toMatchObject({
    code: 0,
    stderr: "left out: names.all: string[] is an array of what is not one word\n",
  });
  const written = await weirRule(["codegen", "erc20.json", "-o", "erc20.ts", "--json"], { cwd: bench.folder });
  expect(written.lines()[0]).toEqual({
    file: "erc20.ts",
    events: ["Transfer"],
    calls: ["TransferCall", "NamesCall"],
    left_out: ["names.all: string[] is an array of what is not one word"],
  });
  expect(readFileSync(join(bench.folder, "erc20.ts"), "utf8")).toBe(printed.stdout);
  const rule = `import { Tx, filter } from "@weir/rules";
import { Transfer, TransferCall } from "./erc20";
filter.topic(Transfer.TOPIC).selector(TransferCall.SELECTOR);
export function onTx(tx: Tx): void {}
`;
  const checked = await weirRule(["check", bench.write("uses.ts", rule), "--json"]);
  expect(checked.lines()[0]).toMatchObject({
    ok: true,
    manifest: {
      filter: {
        topics: ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"],
        selectors: ["0xa9059cbb"],
      },
    },
  });
});

test("refuses what is no ABI", async () => {
  expect(await weirRule(["codegen", bench.write("no.json", "[1]")])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("expected an array of events and functions"),
  });
  expect(await weirRule(["codegen", "nowhere.json"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ENOENT"),
  });
});
