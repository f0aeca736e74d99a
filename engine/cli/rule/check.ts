import type { Command } from "commander";
import { EXIT } from "../../ops/errors.ts";
import { prepare } from "../../rules/content.ts";
import { type Parameters, valueForm } from "../../sandbox/parameters.ts";
import { describeFindings } from "./findings.ts";
import { readContent } from "./loadRule.ts";

export function checkCommand(command: Command): void {
  command
    .argument("<file>", "a source (.ts), which is built first, a module (.wasm) or a JSON rule (.json)")
    .option("--json", "one line of JSON")
    .addHelpText(
      "after",
      '\nExit codes: 0 admitted, 1 refused: every finding with section, function and offset\n\nExamples:\n  weir rule check big-approval.wasm\n  weir rule check big-approval.wasm --json | jq ".findings[].message"',
    )
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const { kind, bytes } = await readContent(file);
      const preparation = await prepare(kind, bytes);
      const { ok } = preparation;
      const [manifest, findings] = preparation.ok ? [preparation.prepared.manifest, []] : [null, preparation.findings];
      if (json || !process.stdout.isTTY) process.stdout.write(`${JSON.stringify({ ok, manifest, findings })}\n`);
      else if (manifest) {
        const about = manifest.description && `: ${manifest.description}`;
        const what = kind === "json" ? "a condition" : `${bytes.length} bytes, ${describeFilter(manifest)}`;
        process.stdout.write(`ok  ${manifest.name}${about}\n    ${what}\n${describeParameters(manifest)}`);
      } else process.stdout.write(describeFindings(findings, process.stdout.columns || undefined));
      process.exitCode = ok ? EXIT.ok : EXIT.refused;
    });
}

function describeFilter({ filter }: { readonly filter: object }): string {
  const conditions = Object.keys(filter);
  return conditions.length === 0 ? "no filter: it is shown every transaction" : `filtered by ${conditions.join(", ")}`;
}

const describeParameters = ({ parameters }: { readonly parameters: Parameters }): string =>
  Object.entries(parameters)
    .map(
      ([name, declared]) =>
        `    parameter ${name} = ${declared.default}: ${declared.type ? valueForm(declared) : "fixed"}\n`,
    )
    .join("");
