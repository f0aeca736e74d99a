/** Labels as a file has them: CSV with a header, or a JSON array of objects with the same members. */
import { z } from "zod";
import { addressSchema, keyOf, LABEL_LIMITS, type Label, labelBody } from "./label.ts";

export interface LabelProblem {
  /** `line 3`, or `entry 2` of JSON, from 1. */
  readonly place: string;
  readonly message: string;
}

export type LabelsRead =
  | { readonly ok: true; readonly labels: readonly Label[] }
  | { readonly ok: false; readonly problems: readonly LabelProblem[] };

const COLUMNS = ["chain_id", "address", "name", "symbol", "decimals"] as const;
const MAX_PROBLEMS = 20;

const placeSchema = z.object({ chain_id: z.int().min(0).default(1), address: addressSchema });

/** Reads `chain_id,address,name,symbol,decimals`; a chain that is not said is 1. Never throws. */
export function readLabels(text: string, kind: "csv" | "json"): LabelsRead {
  const entries = kind === "csv" ? csvEntries(text) : jsonEntries(text);
  if ("problems" in entries) return { ok: false, problems: entries.problems };
  if (entries.length > LABEL_LIMITS.import)
    return {
      ok: false,
      problems: [{ place: "all", message: `${entries.length} labels: expected at most ${LABEL_LIMITS.import}` }],
    };
  const problems: LabelProblem[] = [];
  const labels = new Map<string, Label>();
  for (const { place, value } of entries) {
    const note = (message: string): void => {
      if (problems.length < MAX_PROBLEMS) problems.push({ place, message });
    };
    const where = placeSchema.loose().safeParse(value);
    const { chain_id: _, address: __, ...rest } = (where.success ? where.data : {}) as Record<string, unknown>;
    const said = where.success ? labelBody.safeParse(rest) : where;
    if (!where.success || !said.success) {
      for (const { path, message } of said.error!.issues) note(`${path.map(String).join(".") || "label"}: ${message}`);
      continue;
    }
    const label = {
      chainId: where.data.chain_id,
      address: where.data.address,
      ...(said.data as z.infer<typeof labelBody>),
    };
    if (labels.has(keyOf(label))) note(`${label.address} is there twice: expected one label an address and chain`);
    labels.set(keyOf(label), label);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, labels: [...labels.values()] };
}

type Entries = readonly { readonly place: string; readonly value: unknown }[] | { readonly problems: LabelProblem[] };

const problem = (place: string, message: string): Entries => ({ problems: [{ place, message }] });

function jsonEntries(text: string): Entries {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return problem("all", "Expected an array of labels");
    return value.map((value, i) => ({ place: `entry ${i + 1}`, value }));
  } catch (error) {
    return problem("all", `Expected JSON: ${(error as Error).message}`);
  }
}

/** Comma separated; a field may be in double quotes, which are doubled within. No field goes over lines. */
function csvEntries(text: string): Entries {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const header = splitLine(lines[0] ?? "")?.map((name) => name.trim().toLowerCase());
  const isColumn = (name: string): boolean => (COLUMNS as readonly string[]).includes(name);
  if (!header?.includes("address") || !header.includes("name") || !header.every(isColumn))
    return problem(
      "line 1",
      `Expected a header of ${COLUMNS.join(",")}: address and name at least, got "${(lines[0] ?? "").slice(0, 80)}"`,
    );
  const entries: { place: string; value: unknown }[] = [];
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === "") continue;
    const place = `line ${i + 1}`;
    const fields = splitLine(line);
    if (fields?.length !== header.length)
      return problem(place, `Expected ${header.length} fields, got ${fields?.length ?? "a quote that does not end"}`);
    const named = header.map((name, f) => [name, fields[f]!.trim()] as const).filter(([, field]) => field !== "");
    entries.push({ place, value: Object.fromEntries(named.map(([name, field]) => [name, valueOfField(name, field)])) });
  }
  return entries;
}

const valueOfField = (name: string, field: string): string | number =>
  (name === "chain_id" || name === "decimals") && /^\d{1,16}$/.test(field) ? Number(field) : field;

/** undefined: a quote does not end. */
function splitLine(line: string): string[] | undefined {
  const fields: string[] = [];
  const field = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y;
  for (;;) {
    const found = field.exec(line);
    if (!found) return undefined;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2]!);
    if (found[3] === "") return fields;
  }
}
