import { expect, test } from "vitest";
import { type Chart, svg } from "./chart.ts";

const chart: Chart = {
  name: "growth",
  title: "CPU < by rules & more",
  x: { label: "rules", log: true },
  y: { label: "µs" },
  series: [
    { name: "dense", points: [[1, 0.5], [100, 1], [10_000, 2]] }, // biome-ignore format: points
    { name: "fit", points: [[1, 0.5], [10_000, 1.5]], bare: true }, // biome-ignore format: points
  ],
};

test("points stand where their values are, on a logarithmic axis too, and the straight one begins at 0", () => {
  const drawn = svg(chart);
  expect(drawn).toContain('points="80.0,287.5 300.0,205.0 520.0,40.0"');
  expect(drawn.match(/<circle/g)).toHaveLength(3);
  expect(drawn).toContain('cx="300.0" cy="205.0"');
  for (const label of ["1", "10", "100", "1k", "10k", "0.4", "2", "dense", "fit", "CPU &lt; by rules &amp; more"])
    expect(drawn).toContain(`>${label}</text>`);
});

test("one value alone can be drawn; none, or one without a logarithm, cannot", () => {
  expect(svg({ ...chart, x: { label: "minutes" }, series: [{ name: "RSS", points: [[0, 0]] }] })).toContain("0,370.0"); // biome-ignore format: points
  expect(() => svg({ ...chart, series: [] })).toThrow("CPU < by rules");
  expect(() => svg({ ...chart, series: [{ name: "none", points: [[0, 1]] }] })).toThrow("above 0"); // biome-ignore format: points
});
