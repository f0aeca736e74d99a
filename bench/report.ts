import type { Check, Figure, Machine, ScenarioResult } from "./scenario.ts";

/** The report of a whole run as markdown. @param chartFile where a chart of a scenario lies, for links */
export function markdown(
  results: readonly ScenarioResult[],
  chartFile: (scenario: string, chart: string) => string,
): string {
  const machine = results[0]?.machine;
  return [
    "# Bench report",
    ...(machine ? ["", describeMachine(machine)] : []),
    ...results.flatMap(({ scenario, ok, checks, figures, notes = [], charts = [] }) => [
      "",
      `## ${scenario}: ${ok ? "counts are right" : "COUNTS ARE WRONG"}`,
      "",
      ...table(
        ["figure", "unit", "median", "min", "max", "runs", "goal", "met", "load"],
        figures.map((each) => [
          each.name,
          each.unit,
          ...[each.median, each.min, each.max, each.runs].map(digits),
          each.goal === null ? "" : digits(each.goal),
          metText(each),
          each.load ?? "",
        ]),
      ),
      ...notes.flatMap((note) => ["", note]),
      ...charts.flatMap(({ name, title }) => ["", `![${title}](${chartFile(scenario, name)})`]),
      "",
      ...table(
        ["check", "expected", "got", ""],
        checks.map((each) => [each.name, digits(each.expected), digits(each.got), isRight(each) ? "right" : "WRONG"]),
      ),
    ]),
    "",
  ].join("\n");
}

/** The figures of one scenario for a person at a terminal. */
export function summary({ scenario, checks, figures, notes = [] }: ScenarioResult): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map(
    (each) =>
      `  ${each.name.padEnd(width)}  ${digits(each.median).padStart(9)} ${each.unit.padEnd(5)}  (${digits(each.min)} to ${digits(each.max)})` +
      (each.goal === null ? "" : `  goal ${digits(each.goal)}: ${metText(each)}`) +
      (each.load === undefined ? "" : `  of ${each.load}`),
  );
  const wrong = checks.filter((check) => !isRight(check));
  const verdict = wrong.map(({ name, expected, got }) => `  WRONG  ${name}: expected ${expected}, got ${got}`);
  const right = `  ${checks.length - wrong.length} of ${checks.length} counts right`;
  return [scenario, ...lines, ...notes.map((note) => `  ${note}`), right, ...verdict].join("\n");
}

export const isRight = ({ expected, got }: Check): boolean => expected === got;

const metText = ({ met }: Figure): string => (met === null ? "" : met ? "met" : "not met");

export const describeMachine = ({ cpu, cores, memory_gib, os, load, versions, date }: Machine): string =>
  `${date}, ${cores} × ${cpu}, ${memory_gib} GiB, ${os}, load ${load} at the start; ` +
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** 1234567.5 → 1,234,567.5 */
const digits = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 4 });
