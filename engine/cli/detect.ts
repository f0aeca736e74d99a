import { relative } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { createDetector, KINDS } from "../chain/detect.ts";
import type { Finding } from "../chain/finding.ts";
import { type FindingRecord, findingRecord } from "../chain/findingJson.ts";
import { readRegistry } from "../chain/registry/readRegistry.ts";
import { createRegistry } from "../chain/registry/registry.ts";
import { bundledLabel } from "../label/bundled.ts";
import { renderMessage } from "../label/message.ts";
import { UserError } from "../ops/errors.ts";
import { inspectRecording } from "../source/recording.ts";
import { loadConfiguration } from "./configuration.ts";
import { recordingBlocks } from "./detect/recordingBlocks.ts";
import { writeOut } from "./rule/output.ts";
import { count, createProgress, group, table } from "./terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly kind?: ReadonlySet<Finding["kind"]>;
  readonly block?: Range;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Rows of a table that a person reads; a pipe has all of them. */
const SHOWN = 40;
/** Broken lines that are told one by one. */
const TOLD = 20;

export function detectCommand(command: Command): void {
  command
    .argument("<file>", "recording: .ndjson, .ndjson.gz or .ndjson.zst")
    .option("--json", "a JSON line a finding: the same bytes on every run; the default in a pipe")
    .option("--kind <kinds>", `only these, by commas: ${KINDS.join(", ")}`, kinds)
    .option("--block <number>", "only this block, or those FROM-TO", range)
    .addHelpText(
      "after",
      `
Findings are ordered by block, transaction and log, each with its confidence, the reason and the logs that say so.
What is said of blocks as a whole (sandwich, jit) needs all transactions of the block, by block.transactionCount.
Chains, routers and protocols that are not built in come from the file that WEIR_REGISTRY names.

Examples:
  weir detect test/recordings/dex.ndjson.gz
  weir detect blocks.ndjson.gz --kind arbitrage,sandwich --json | jq -r '[.tx_hash, .profit_amount] | @tsv'
  weir detect blocks.ndjson.zst --block 16146267 --json

The table has amounts by the symbols of tokens that Weir knows, lines have them exactly, in a token's smallest unit.

Exit code 1 if a line of the file is no transaction: the rest is looked at all the same.`,
    )
    .action(detect);
}

async function detect(file: string, { json = false, kind, block }: Options): Promise<void> {
  const asLines = json || !process.stdout.isTTY;
  const registry = createRegistry(readRegistry(loadConfiguration().config.registry));
  const progress = createProgress(`looking at ${relative(process.cwd(), file)}`, "tx");
  // Counting the lines is a pass of its own, for the bar only.
  const total = process.stderr.isTTY ? (await inspectRecording(file)).lines : 0;
  const findIn = createDetector({ registry });
  const shown: FindingRecord[] = [];
  const counts = new Map<string, number>();
  let broken = 0;
  let transactions = 0;
  const views = recordingBlocks(file, {
    onBroken(line, reason) {
      if (++broken <= TOLD) process.stderr.write(`${file}:${line}: ${reason}\n`);
    },
    progress: (done) => progress.update(done, total),
  });
  for await (const view of views) {
    transactions += view.frames.length;
    if (block && !(view.blockNumber! >= block.from && view.blockNumber! <= block.to)) continue;
    const findings = findIn(view).filter((finding) => !kind || kind.has(finding.kind));
    for (const finding of findings) counts.set(nameOf(finding), (counts.get(nameOf(finding)) ?? 0) + 1);
    const records = asLines || shown.length < SHOWN ? findings.map((finding) => findingRecord(view, finding)) : [];
    if (asLines) await writeOut(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    else shown.push(...records.slice(0, SHOWN - shown.length));
  }
  progress.end();
  if (!asLines) process.stdout.write(describe(shown, counts));
  if (broken > 0)
    throw new UserError(
      `Cannot take ${count(broken, "line")} of "${file}": no transaction, expected transactions as JSON, one a line`,
    );
  if (transactions === 0)
    throw new UserError(
      `Cannot detect anything in "${file}": it has no mined transaction, expected some with receipts`,
      {
        next: "npx weir record --help",
      },
    );
}

function describe(shown: readonly FindingRecord[], counts: ReadonlyMap<string, number>): string {
  if (shown.length === 0) return "no findings\n";
  const total = [...counts.values()].reduce((sum, number) => sum + number, 0);
  const more =
    total > shown.length ? `… and ${group(total - shown.length)} more: --json has all, --kind and --block fewer\n` : "";
  const summary = [...counts].map(([name, number]) => `${group(number)} ${name}`);
  return `${table(shown.map(tableRow))}${more}${summary.join(", ")}\n`;
}

/** Arbitrages by their definition: those by `router` are mostly none. */
const nameOf = (finding: Finding): string =>
  finding.kind === "arbitrage" ? `arbitrage (${finding.definition})` : finding.kind;

const tableRow = (record: FindingRecord) => ({
  block: record.block_number,
  transaction: `${`${record.tx_hash}`.slice(0, 10)}…`,
  kind: record.kind,
  what: [record.definition, record.strategy, record.protocol].filter(Boolean).join(" "),
  amounts: amountsOf(record),
  confidence: record.confidence,
});

/** What was traded, earned or paid, as people read it: tokens that come with Weir by their symbols, others as they are. */
export function amountsOf(record: FindingRecord): string {
  const of = (amount: unknown, token: unknown): string => {
    const [, sign = "", digits] = /^(-?)(\d+)$/.exec(String(amount)) ?? [];
    if (digits === undefined) return ""; // it is not known
    const labelOf = (address: string) => bundledLabel({ chainId: record.chain_id as number, address });
    return sign + renderMessage(`{${digits} of ${token}}`, labelOf);
  };
  switch (record.kind as Finding["kind"]) {
    case "swap":
      return `${of(record.amount_in, record.token_in)} → ${of(record.amount_out, record.token_out)}`;
    case "arbitrage":
    case "sandwich":
      return of(record.profit_amount, record.profit_token);
    case "liquidation":
      return `${of(record.debt_amount, record.debt_token)} for ${of(record.collateral_amount, record.collateral_token)}`;
    default:
      return "";
  }
}

function kinds(text: string): ReadonlySet<Finding["kind"]> {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !KINDS.includes(name as Finding["kind"]));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`"${wrong}" is no kind; expected some of ${KINDS.join(", ")}.`);
  return new Set(names as Finding["kind"][]);
}

function range(text: string): Range {
  const [from, to = from] = text.split("-").map(Number);
  if (!/^\d{1,15}(-\d{1,15})?$/.test(text) || from! > to!)
    throw new InvalidArgumentError("Expected a block number, or two as FROM-TO, the lower one first.");
  return { from: from!, to: to! };
}
