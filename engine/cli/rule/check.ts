import type { Command } from "commander";
import { EXIT } from "../../ops/errors.ts";
import { admitAside } from "../../sandbox/admitAside.ts";
import { describeFindings } from "./findings.ts";
import { loadModule } from "./loadRule.ts";

export function checkCommand(command: Command): void {
  command
    .argument("<file>", "module (.wasm), or a rule's source (.ts), which is built first")
    .option("--json", "one line of JSON")
    .addHelpText(
      "after",
      '\nExit codes: 0 admitted, 1 refused: every finding with section, function and offset\n\nExamples:\n  weir rule check big-approval.wasm\n  weir rule check big-approval.wasm --json | jq ".findings[].message"',
    )
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const wasm = await loadModule(file);
      const admitted = await admitAside(wasm);
      const { ok } = admitted;
      const [manifest, findings] = admitted.ok ? [admitted.manifest, []] : [null, admitted.findings];
      if (json || !process.stdout.isTTY) process.stdout.write(`${JSON.stringify({ ok, manifest, findings })}\n`);
      else if (manifest) {
        const about = manifest.description && `: ${manifest.description}`;
        process.stdout.write(`ok  ${manifest.name}${about}\n    ${wasm.length} bytes, ${describeFilter(manifest)}\n`);
      } else process.stdout.write(describeFindings(findings, process.stdout.columns || undefined));
      process.exitCode = ok ? EXIT.ok : EXIT.refused;
    });
}

function describeFilter({ filter }: { readonly filter: object }): string {
  const conditions = Object.keys(filter);
  return conditions.length === 0 ? "no filter: it is shown every transaction" : `filtered by ${conditions.join(", ")}`;
}
