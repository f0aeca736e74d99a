import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** kcat, Debian's name of it, or undefined where neither is installed. */
export function findKcat(): string | undefined {
  return ["kcat", "kafkacat"].find((program) => spawnSync(program, ["-V"]).error === undefined);
}

/**
 * Reads so many records of a topic from its beginning and throws them away: what librdkafka alone takes, its start included.
 * @returns seconds
 * @throws Error when it fails, or reads less
 */
export async function consumeWithKcat(
  program: string,
  brokers: string,
  topic: string,
  records: number,
): Promise<number> {
  const began = performance.now();
  const args = ["-C", "-q", "-e", "-b", brokers, "-t", topic, "-o", "beginning", "-c", String(records), "-f", "%S\\n"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let read = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) read++;
  });
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0 || read !== records)
    throw new Error(`Cannot measure kcat: it ended with ${code} after ${read} records, expected ${records}`);
  return seconds;
}
