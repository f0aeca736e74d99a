import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { UsageError, UserError } from "../ops/errors.ts";
import { openCatalogue } from "../rules/catalogue.ts";
import { admit } from "../sandbox/admit.ts";
import { loadConfiguration } from "./configuration.ts";
import { printRows } from "./terminal.ts";

export function ruleCommand(rule: Command): void {
  rule
    .command("check")
    .description("whether a module would be admitted; every violation with its place")
    .argument("<file.wasm>", "module made by the AssemblyScript compiler")
    .option("--json", "one line of JSON")
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const wasm = await readFile(file).catch((error: Error) => {
        throw new UserError(`Cannot read "${file}": ${error.message}`);
      });
      const admitted = admit(wasm);
      const { ok } = admitted;
      const [manifest, findings] = admitted.ok ? [admitted.manifest, []] : [null, admitted.findings];
      if (json || !process.stdout.isTTY) process.stdout.write(`${JSON.stringify({ ok, manifest, findings })}\n`);
      else if (manifest)
        process.stdout.write(`ok: ${manifest.name}${manifest.description && `: ${manifest.description}`}\n`);
      else for (const { code, message } of findings) process.stdout.write(`${code}  ${message}\n`);
      process.exitCode = ok ? 0 : 1;
    });
  rule
    .command("build")
    .description("compile a rule to a module")
    .argument("<file.ts>", "the rule's source")
    .option("-o, --out <file.wasm>", "where the module goes (default: beside the source)")
    .addHelpText("after", "\nExample:\n  weir rule build big-approval.ts && weir rule check big-approval.wasm")
    .action(async (file: string, { out = file.replace(/\.ts$/, ".wasm") }: { out?: string }) => {
      if (!file.endsWith(".ts")) throw new UsageError(`Cannot build "${file}": expected a file that ends in .ts`);
      const { buildRule } = await import("../../rules-as/cli/build.ts");
      const { formatDiagnostic } = await import("../../rules-as/cli/diagnostics.ts");
      const { wasm, diagnostics } = await buildRule(file);
      for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
      if (wasm === null) throw new UserError(`Cannot build "${file}": see above`);
      await writeFile(out, wasm);
      process.stdout.write(`${out}  ${wasm.length} bytes\n`);
    });
  rule
    .command("list")
    .description("the rules, their versions and states")
    .option("--json", "a JSON line a rule")
    .action(async ({ json = false }: { json?: boolean }) => {
      const catalogue = await openCatalogue(join(loadConfiguration().config.data, "rules"));
      printRows(
        catalogue.list().map(({ name, version, state, size, manifest }) => ({
          name,
          version,
          state,
          size,
          description: manifest.description,
        })),
        { json },
      );
    });
}
