import { CATALOGUE, COLUMNS } from "./catalogue.ts";
import { GROUPS } from "./feature.ts";
import { SERIES } from "./series.ts";

/** The page clickhouse/features/FEATURES.md: `weir features list --markdown` prints it, and a test holds the file against it. */
export function featurePage(): string {
  const sections = GROUPS.map((group) => {
    const of = CATALOGUE.filter((feature) => feature.group === group);
    const lines = of.map(
      ({ name, series, formula, unit, windows = [], kind, seed }) =>
        `| \`${name}\` | ${formula}${seed === undefined ? "" : ` (${seed})`} | ${kind === "category" ? `category: ${unit}` : unit} | ${windows.join(" ")} | ${series} |`,
    );
    return `## ${group}: ${of.length}\n\n| feature | what it is | unit | windows | looks back on |\n| --- | --- | --- | --- | --- |\n${lines.join("\n")}\n`;
  });
  const series = Object.entries(SERIES).map(
    ([name, { about, tables }]) => `| ${name} | ${about} | ${tables.join(", ")} |`,
  );
  return `# Features

Made from the catalogue by \`npx weir features list --markdown\`; [README.md](README.md) says how to read it. ${CATALOGUE.length} features, ${COLUMNS.length} columns: a feature
over windows has a column for each, as \`price_volatility_5m\`. In brackets: what seed 003 calls it.

${sections.join("\n")}
## What they look back on

| | rows | tables |
| --- | --- | --- |
${series.join("\n")}
`;
}
