/** What is written about the configuration: `weir config show`, `.env.example`, the table in the docs. */
import { type LoadedConfig, rows } from "./config.ts";
import { GROUPS, type Group, type Variable } from "./configTable.ts";
import { stripCredentials } from "./errors.ts";

export interface ConfigRow {
  readonly name: string;
  /** secrets as `***`, URLs without credentials; "" when unset */
  readonly value: string;
  /** default, flag, `environment NAME`, `file .env NAME`, or "" when unset */
  readonly origin: string;
  readonly meaning: string;
}

/** For `weir config show --origin`: a row a variable, in the table's order. */
export function showConfig({ origins, texts }: Pick<LoadedConfig, "origins" | "texts">): ConfigRow[] {
  return rows().map(([name, variable]) => {
    const text = texts.get(name);
    const value = text === undefined ? "" : variable.secret ? "***" : maskKeys(stripCredentials(text));
    return { name, value, origin: origins.get(name) ?? "", meaning: meaningOf(variable) };
  });
}

/** Node providers put the key into the path (`/v2/KEY`, `/v3/KEY`) or the query: 16 or more letters and digits in one go. */
function maskKeys(text: string): string {
  return /:\/\//.test(text) ? text.replace(/(?<=[/=])[A-Za-z0-9_-]{16,}(?=$|[/?&#,])/g, "***") : text;
}

function meaningOf({ meaning, later }: Variable): string {
  return later ? `${meaning} (accepted, not used yet)` : meaning;
}

/** The committed `.env.example`: a comment and a commented-out line a variable, so that a copy of it changes nothing. */
export function envExample(): string {
  const head = [
    "# Copy to .env and uncomment what you need. Flags and the environment win over it.",
    "# Made from engine/ops/configTable.ts by `npx weir config example > .env.example`.",
  ];
  return [
    ...head,
    ...groups().flatMap(([title, entries]) => ["", `## ${title}`, ...entries.flatMap(exampleLines)]),
    "",
  ].join("\n");
}

function exampleLines([name, variable]: [string, Variable]): string[] {
  const also = variable.aliases ? `; also ${variable.aliases.join(", ")}` : "";
  const expected = `${variable.type.description}${also}`;
  return [`# ${meaningOf(variable)}: ${expected}`, `#${name}=${variable.default ?? ""}`];
}

/** The table in the docs, as Markdown. */
export function configMarkdown(): string {
  return groups()
    .map(([title, entries]) => {
      const lines = entries.map(([name, variable]) => {
        const names = [name, ...(variable.aliases ?? [])].map((each) => `\`${each}\``).join(", ");
        const fallback = variable.default === undefined ? "" : `\`${variable.default}\``;
        return `| ${names} | ${fallback} | ${meaningOf(variable)} | ${variable.type.description} |`;
      });
      return [
        `### ${title}`,
        "",
        "| variable | default | meaning | expected |",
        "| --- | --- | --- | --- |",
        ...lines,
        "",
      ].join("\n");
    })
    .join("\n");
}

function groups(): [string, [string, Variable][]][] {
  return (Object.keys(GROUPS) as Group[]).map((group) => [
    GROUPS[group],
    rows().filter(([, variable]) => variable.group === group),
  ]);
}
