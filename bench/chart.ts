/** Lines and points as SVG, for the report: no more than that needs. */
import type { Point } from "./fit.ts";

export interface Axis {
  readonly label: string;
  /** Logarithmic: all values are above 0. */
  readonly log?: boolean;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Without dots: a fit, or more points than can be told apart. */
  readonly bare?: boolean;
}

export interface Chart {
  /** Part of the file's name. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 420;
const EDGE = { left: 80, right: 200, top: 40, bottom: 50 };
/** Told apart by those who see fewer colours, too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** @throws RangeError for no points, or one that an axis has no place for */
export function svg({ title, x, y, series }: Chart): string {
  const points = series.flatMap((each) => each.points);
  const fits = (axis: Axis, value: number): boolean => Number.isFinite(value) && (!axis.log || value > 0);
  if (points.length === 0 || !points.every(([px, py]) => fits(x, px) && fits(y, py)))
    throw new RangeError(`Cannot draw "${title}": the points are [${points.join("; ")}], expected numbers${x.log || y.log ? " above 0" : ""}`); // biome-ignore format: one line
  const across = scale(x, points.map(([px]) => px), EDGE.left, WIDTH - EDGE.right); // biome-ignore format: one line
  const up = scale(y, points.map(([, py]) => py), HEIGHT - EDGE.bottom, EDGE.top); // biome-ignore format: one line
  const place = ([px, py]: Point): string => `${across.place(px).toFixed(1)},${up.place(py).toFixed(1)}`;
  const bottom = HEIGHT - EDGE.bottom;
  const right = WIDTH - EDGE.right;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(EDGE.left, 20, title, 'font-size="15"'),
    ...across.ticks.flatMap((value) => [
      line(across.place(value), EDGE.top, across.place(value), bottom, "#ddd"),
      text(across.place(value), bottom + 16, short(value), 'text-anchor="middle"'),
    ]),
    ...up.ticks.flatMap((value) => [
      line(EDGE.left, up.place(value), right, up.place(value), "#ddd"),
      text(EDGE.left - 6, up.place(value) + 4, short(value), 'text-anchor="end"'),
    ]),
    text((EDGE.left + right) / 2, HEIGHT - 12, x.label, 'text-anchor="middle"'),
    text(18, (EDGE.top + bottom) / 2, y.label, `text-anchor="middle" transform="rotate(-90 18 ${(EDGE.top + bottom) / 2})"`), // biome-ignore format: one line
    ...series.flatMap((each, i) => {
      const colour = COLOURS[i % COLOURS.length]!;
      const at = EDGE.top + 8 + i * 18;
      return [
        `<polyline points="${each.points.map(place).join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"${each.bare ? ' stroke-dasharray="5 3"' : ""}/>`,
        ...(each.bare ? [] : each.points.map(([px, py]) => `<circle cx="${across.place(px).toFixed(1)}" cy="${up.place(py).toFixed(1)}" r="3" fill="${colour}"/>`)), // biome-ignore format: one line
        line(right + 10, at, right + 26, at, colour),
        text(right + 31, at + 4, each.name),
      ];
    }),
    "</svg>\n",
  ].join("\n");
}

/** Values to pixels, and round values to write beside the axis: powers of ten, or 4 to 10 steps of 1, 2 or 5. */
function scale(axis: Axis, values: readonly number[], from: number, to: number) {
  const to10 = (value: number): number => (axis.log ? Math.log10(value) : value);
  const [low, high] = [Math.min(...values), Math.max(...values)].map(to10) as [number, number];
  const step = axis.log ? 1 : stepOf(Math.max(high, 0) - Math.min(low, 0) || 1);
  const first = axis.log || low < 0 ? Math.floor(low / step) : 0; // a straight axis begins at 0
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return axis.log ? 10 ** value : value;
  });
  const place = (value: number): number => from + ((to10(value) / step - first) / (last - first)) * (to - from);
  return { ticks, place };
}

function stepOf(range: number): number {
  const ten = 10 ** Math.floor(Math.log10(range));
  return [0.1, 0.2, 0.5, 1].map((part) => part * ten).find((step) => range / step <= 10)!;
}

/** 1500000 → 1.5M */
function short(value: number): string {
  const [divisor, unit] = Math.abs(value) >= 1e6 ? [1e6, "M"] : Math.abs(value) >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((value / Number(divisor)).toPrecision(3))}${unit}`;
}

const line = (x1: number, y1: number, x2: number, y2: number, colour: string): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${more && ` ${more}`}>${words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
