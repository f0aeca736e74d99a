/** What the API's document says is what is answered, to whoever asks and whatever they ask. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDetector } from "../engine/chain/detect.ts";
import { type FindingRecord, findingRecord } from "../engine/chain/findingJson.ts";
import { builtInRegistry } from "../engine/chain/registry/registry.ts";
import { recordingBlocks } from "../engine/cli/detect/recordingBlocks.ts";
import { type ServedRecording, serveRecording } from "./support/servedRecording.ts";

let served: ServedRecording;
beforeAll(async () => {
  served = await serveRecording({ from: 9_000, lines: 1_500 });
  await served.replay();
});
afterAll(() => served?.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(served.url + path, { ...init, headers: { authorization: `Bearer ${served.token}`, ...init.headers } });

/** All pages of a list. */
async function readAll(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let next: string | undefined = `${path}?limit=${limit}`; next; ) {
    const answer = await ask(next);
    expect(answer.status, next).toBe(200);
    rows.push(...((await answer.json()) as Record<string, unknown>[]));
    next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return rows;
}

test("lists of findings have what the detector finds, each once, page by page", async () => {
  const found: FindingRecord[] = [];
  const detect = createDetector({ registry: builtInRegistry });
  for await (const view of recordingBlocks(served.recording, { onBroken: () => {} }))
    found.push(...detect(view).map((finding) => findingRecord(view, finding)));
  const detected = (kind: string) => found.filter((each) => each.kind === kind && each.definition !== "router");
  const key = ({ tx_hash, log_index }: Record<string, unknown>) => `${tx_hash} ${log_index}`;

  for (const [path, kind, members] of [
    ["swaps", "swap", ["protocol", "pool", "token_in", "amount_in", "token_out", "amount_out"]],
    ["arbitrages", "arbitrage", ["account", "strategy", "profit_token", "start_amount", "end_amount", "profit_amount"]],
    ["sandwiches", "sandwich", ["sandwicher", "victim_txs", "profit_amount", "victim_losses"]],
  ] as const) {
    const got = await readAll(`/api/v1/${path}`, 97);
    const expected = new Map(detected(kind).map((each) => [key(each), each]));
    expect(expected.size, kind).toBeGreaterThan(10);
    expect(new Set(got.map(key)).size).toBe(got.length);
    const shown = (row: Record<string, unknown>) => Object.fromEntries([...["tx_hash", "log_index", "chain_id", "block_number", "status", "confidence", "evidence"], ...members].map((name) => [name, row[name]])); // biome-ignore format: one line
    expect(got.map(shown).sort(byKey)).toEqual([...expected.values()].map(shown).sort(byKey));
  }
  function byKey(one: Record<string, unknown>, other: Record<string, unknown>): number {
    return key(one) < key(other) ? -1 : 1;
  }
});
