/** Writes dashboards/ from boards.ts. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BOARDS, type Board, type Panel } from "./boards.ts";

export const FOLDER = join(import.meta.dirname, "dashboards");

/** Three panels a row. */
const [WIDTH, HEIGHT, A_ROW] = [8, 8, 3];

function panelJson({ title, type, unit, queries }: Panel, i: number): string {
  return JSON.stringify({
    ...{ id: i + 1, type, title, datasource: { type: "prometheus", uid: "prometheus" } },
    gridPos: { x: (i % A_ROW) * WIDTH, y: Math.floor(i / A_ROW) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    ...(type === "heatmap" && { options: { calculate: false, yAxis: { unit } } }),
    targets: queries.map(([expr, legendFormat], n) => ({
      ...{ refId: String.fromCharCode(65 + n), expr, legendFormat },
      ...(type === "heatmap" && { format: "heatmap" }),
    })),
  });
}

/** A dashboard as Grafana reads it, a line a panel. */
export const boardJson = ({
  uid,
  title,
  last,
  panels,
}: Board): string => `{"uid":"${uid}","title":"${title}","tags":["weir"],"schemaVersion":39,"refresh":"10s","time":{"from":"now-${last}","to":"now"},"panels":[
${panels.map(panelJson).join(",\n")}
]}
`;

if (process.argv[1] === import.meta.filename) {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
  for (const board of BOARDS) await writeFile(join(FOLDER, `${board.uid}.json`), boardJson(board));
}
