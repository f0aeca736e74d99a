/**
 * Exports as tables of Markdown.
 *
 *     WEIR_EXTENSIONS=engine/extensions/examples/markdown.mjs npx weir export swaps --format markdown --columns block_number,protocol,amount_in
 *
 * @type {import("../extension.ts").Exporter}
 */
export default {
  kind: "exporter",
  name: "markdown",
  extension: "md",
  async *write(pages, { columns }) {
    yield `| ${columns.map(({ name }) => name).join(" | ")} |\n|${" --- |".repeat(columns.length)}\n`;
    for await (const rows of pages)
      yield rows.map((row) => `| ${columns.map(({ name }) => cell(row[name])).join(" | ")} |\n`).join("");
  },
};

/** @param {unknown} value */
const cell = (value) => (value === null ? "" : String(value).replaceAll("|", "\\|").replaceAll("\n", " "));
