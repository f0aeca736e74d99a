/**
 * Puts back dead letters that could not be decoded and now can: because the chain is configured by now, or this version decodes
 * what an earlier one refused.
 *
 * What can be decoded is written to a file first, a letter a line with its bytes; the file is then run as a recording is, with a
 * ledger of its own, so a kill anywhere loses and doubles nothing. The files stay: a letter that stands in one is never put back
 * again. What still cannot be decoded stays as it is, without becoming another dead letter.
 *
 *     <WEIR_DATA>/ledger/dead-letters-<n>.ndjson   the letters of run n
 *     <WEIR_DATA>/ledger/dead-letters-<n>.json     how far it has come
 */
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { RULE_LETTERS, type UndecodedLetter, undecodedLetters } from "../../clickhouse/queries/undecodedLetters.ts";
import { CONTENT } from "../frame/content.ts";
import { MAX_RECORD_BYTES } from "../frame/schema.ts";
import { Interrupted } from "../ops/errors.ts";
import { holdExclusively } from "../ops/exclusive.ts";
import { packBatch } from "../source/batch.ts";
import { inspectRecording, readLines, splitLines } from "../source/recording.ts";
import type { SourceRecord } from "../source/records.ts";
import { createDecoder } from "../worker/decode.ts";
import { createWorld } from "../world/world.ts";
import type { House } from "./house.ts";
import { positionOf, runFile } from "./replayRecording.ts";
import { type Summary, summarize } from "./summary.ts";

export interface PutBack {
  readonly letters: {
    /** by this call */
    readonly put_back: number;
    /** by earlier ones */
    readonly already: number;
    /** why they were refused, and how many */
    readonly still_failing: Readonly<Record<string, number>>;
    /** Of transactions that were decoded and are stored, where a rule failed: not run again. */
    readonly of_rules: number;
  };
  /** Of what this call has put back. */
  readonly summary: Summary;
  readonly seconds: number;
  readonly rate: number;
}

export interface PutBackOptions {
  readonly house: House;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @throws UserError while another process is at it; Interrupted when the signal aborts it before its end */
export async function replayDeadLetters({ house, signal, onProgress }: PutBackOptions): Promise<PutBack> {
  const folder = join(house.config.data, "ledger");
  const release = await holdExclusively(join(folder, "dead-letters.lock"), "replay dead letters");
  try {
    const known = new Set<string>();
    const ran: { source: string; lines: number; seconds: number; rate: number }[] = [];
    let number = 1;
    for (; existsSync(lettersPath(folder, number)); number++) {
      for await (const line of readLines(lettersPath(folder, number))) known.add(identity(toLetter(line)));
      const finished = await run({ house, signal, onProgress }, folder, number); // one that was interrupted goes on here
      if (finished) ran.push(finished);
    }
    const resumed = ran.reduce((sum, { lines }) => sum + lines, 0);
    const already = known.size - resumed;
    const chosen = await choose(house, lettersPath(folder, number), known);
    if (chosen.count > 0) ran.push((await run({ house, signal, onProgress }, folder, number))!);
    const [rules] = await house.store.rows<{ letters: number }>(RULE_LETTERS.sql, RULE_LETTERS.params);
    return {
      letters: {
        put_back: resumed + chosen.count,
        already,
        still_failing: chosen.failing,
        of_rules: rules!.letters,
      },
      summary: await summarize(
        house.store,
        ran.map(({ source }) => source),
      ),
      seconds: ran.reduce((sum, { seconds }) => sum + seconds, 0),
      rate: ran.at(-1)?.rate ?? 0,
    };
  } finally {
    release();
  }
}

const lettersPath = (folder: string, number: number): string => join(folder, `dead-letters-${number}.ndjson`);

/** Runs a file of letters to its end; undefined when it had come there before. */
async function run({ house, signal, onProgress }: PutBackOptions, folder: string, number: number) {
  const recording = await inspectRecording(lettersPath(folder, number));
  const source = `dead_letters:${recording.sha256}`;
  const ledgerPath = join(folder, `dead-letters-${number}.json`);
  const { lines } = recording;
  if ((await positionOf(ledgerPath, source, lines)).stored) return undefined;
  const read = (line: Uint8Array) => toRecord(toLetter(line));
  const { complete, seconds, rate } = await runFile({ house, recording, source, ledgerPath, signal, onProgress, read });
  if (!complete)
    throw new Interrupted("Stopped the replay of dead letters before its end", {
      next: "The same command goes on from there",
    });
  return { source, lines, seconds, rate };
}

/** Writes the letters that can be decoded, and are not known yet, to a file that is there as a whole or not at all. */
async function choose(
  { store, config }: House,
  path: string,
  known: Set<string>,
): Promise<{ count: number; failing: Record<string, number> }> {
  const decode = createDecoder(createWorld({ chains: config.engine.chains }));
  const failing: Record<string, number> = {};
  let count = 0;
  const draft = `${path}.new`;
  const file = await open(draft, "w");
  try {
    const { sql, params } = undecodedLetters(MAX_RECORD_BYTES);
    for await (const line of splitLines(await store.stream(sql, params))) {
      const letter = toLetter(line);
      if (known.has(identity(letter))) continue; // put back; or of a range that is being stored anew, whose rows are there twice for a moment
      const { failures } = decode(packBatch("", 0, 0, 1, [{ offset: 0, ...toRecord(letter) }]));
      if (failures.length > 0) {
        failing[letter.reason] = (failing[letter.reason] ?? 0) + 1;
        continue;
      }
      await file.appendFile(Buffer.concat([line, NEWLINE]));
      known.add(identity(letter));
      count++;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (count > 0) await rename(draft, path);
  else await rm(draft);
  return { count, failing };
}

const NEWLINE = Buffer.from("\n");

const toLetter = (line: Uint8Array): UndecodedLetter => JSON.parse(Buffer.from(line).toString()) as UndecodedLetter;

/** What the record claimed to be is not known any more: that is told from its bytes. */
const toRecord = ({ time, bytes }: UndecodedLetter): Omit<SourceRecord, "offset"> => ({
  time,
  content: CONTENT.unknown,
  value: Buffer.from(bytes, "base64"),
});

const identity = ({ source, partition, offset, n }: UndecodedLetter): string => `${source} ${partition} ${offset} ${n}`;
