/** What the list commands have in common: where a list is, and how they show what was answered. */
import type { ListKind } from "../../condition/listKinds.ts";
import { type ApiOptions, asJson } from "../apiCommands.ts";
import { count, group } from "../terminal.ts";

export interface ListAnswer {
  readonly name: string;
  readonly kind: ListKind;
  readonly version: number;
  readonly size: number;
  readonly updated_at: string;
  readonly rules: readonly string[];
}

export interface ListChangeAnswer extends ListAnswer {
  readonly added: number;
  readonly removed: number;
}

export const pathOf = (name: string): string => `/api/v1/lists/${encodeURIComponent(name)}`;

export function printChange(answer: ListChangeAnswer, options: ApiOptions): void {
  const { name, version, size, added, removed } = answer;
  const made = added + removed === 0 ? "nothing changed" : `${group(added)} added, ${group(removed)} removed`;
  process.stdout.write(
    asJson(options)
      ? `${JSON.stringify(answer)}\n`
      : `${name}  version ${version}  ${count(size, "entry").replace(/entrys$/, "entries")}: ${made}\n`,
  );
}
