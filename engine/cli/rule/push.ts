import { type Command, Option } from "commander";
import { EXIT, UserError } from "../../ops/errors.ts";
import { prepare } from "../../rules/content.ts";
import type { Finding } from "../../sandbox/finding.ts";
import { type Api, expectSuccess, findingsOf, openApi, type RuleAnswer } from "./api.ts";
import { describeFindings } from "./findings.ts";
import { readContent } from "./loadRule.ts";

interface Options {
  readonly state: "live" | "shadow" | "draft";
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
}

export function pushCommand(command: Command): void {
  command
    .argument("<file>", "a source (.ts), which is built first, a module (.wasm) or a JSON rule (.json)")
    .addOption(
      new Option(
        "--state <state>",
        "live at once; shadow: runs beside the live version and raises nothing; draft: does not run",
      )
        .choices(["live", "shadow", "draft"])
        .default("live"),
    )
    .option("--api <url>", "of a running Weir (default: where this configuration serves it)")
    .option("--token <token>", "default: WEIR_TOKEN, which other users of this machine cannot see")
    .option("--json", "one line of JSON: the rule, or why it was refused")
    .addHelpText(
      "after",
      "\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExamples:\n  weir rule push big-approval.ts\n  weir rule push large-transfer.json\n  weir rule push big-approval.wasm --state shadow --api https://weir.example",
    )
    .action(async (file: string, options: Options) => {
      const asJson = options.json || !process.stdout.isTTY;
      const { kind, bytes } = await readContent(file);
      // Here first: the same findings without a way there and back, and the name to push it under.
      const preparation = await prepare(kind, bytes);
      if (!preparation.ok) return refuse(preparation.findings, asJson);
      const api = openApi({ url: options.api, token: options.token });
      const { name } = preparation.prepared.manifest;
      if (options.state !== "live") await requireStates(api);
      const query = options.state === "live" ? "" : `?state=${options.state}`;
      const answer =
        kind === "json"
          ? await api.ask(`/api/v1/rules${query}`, {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: bytes,
            })
          : await api.ask(`/api/v1/rules/${name}${query}`, {
              method: "PUT",
              headers: { "content-type": "application/wasm" },
              body: bytes,
            });
      const findings = findingsOf(answer);
      if (findings) return refuse(findings, asJson);
      const rule = expectSuccess<RuleAnswer>(`push the rule "${name}" to ${api.url}`, answer);
      process.stdout.write(
        asJson
          ? `${JSON.stringify({ ok: true, ...rule })}\n`
          : `${rule.name}  version ${rule.newest_version}  ${describeState(rule)}  at ${api.url}\n${describeCarried(rule)}`,
      );
    });
}

/** Of the version that was pushed: a rule that is disabled stays so. */
function describeState({ state, newest_version, live_version, shadow_version }: RuleAnswer): string {
  if (state !== "live" && state !== "shadow") return state;
  if (newest_version === live_version) return "live";
  const beside = live_version === null ? "" : `, live is version ${live_version}`;
  return (newest_version === shadow_version ? "on trial" : "draft") + beside;
}

/** What becomes of what the rule remembers. */
function describeCarried({ carried }: RuleAnswer): string {
  if (carried === undefined) return "";
  return carried.state === "kept" ? "its state is kept\n" : `its state is not all kept: ${carried.why}\n`;
}

function refuse(findings: readonly Finding[], asJson: boolean): void {
  process.stdout.write(
    asJson
      ? `${JSON.stringify({ ok: false, findings })}\n`
      : describeFindings(findings, process.stdout.columns || undefined),
  );
  process.exitCode = EXIT.refused;
}

/** An engine that knows no states would take no notice of the wish and put the rule live. */
async function requireStates(api: Api): Promise<void> {
  const document = expectSuccess<{ paths?: Record<string, { put?: { parameters?: { name: string }[] } }> }>(
    "read what the API offers",
    await api.ask("/openapi.json"),
  );
  const parameters = document.paths?.["/api/v1/rules/{name}"]?.put?.parameters ?? [];
  if (!parameters.some(({ name }) => name === "state"))
    throw new UserError(`Cannot push a version that is not live: "${api.url}" knows live rules only`, {
      next: "Without --state the rule is live at once",
    });
}
