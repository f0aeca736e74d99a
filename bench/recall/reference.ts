/** The real blocks beside the checkout, what the inspector found in them, and how differences were judged. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Judgements } from "./recall.ts";

const beside = (name: string): string => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));

export const REFERENCE = { recording: beside("mainnet.ndjson.gz"), expected: beside("expected.ndjson") } as const;

export const readJudgements = (): Judgements =>
  JSON.parse(readFileSync(new URL("judgements.json", import.meta.url), "utf8")) as Judgements;
