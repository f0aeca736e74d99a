import type { Command } from "commander";
import { createProducer } from "../kafka/producer.ts";
import { produceRecording } from "../source/produce.ts";
import { wholeNumber } from "./chains.ts";
import { loadConfiguration } from "./configuration.ts";
import { interrupted } from "./interrupt.ts";
import { group } from "./terminal.ts";
import { brokersOf } from "./topics.ts";

interface ProduceFlags {
  readonly packed?: boolean;
  readonly rate?: string;
  readonly repeat: string;
  readonly topic?: string;
}

export function produceCommand(command: Command): void {
  command
    .argument("<file>", "recording: .ndjson, .ndjson.gz or .ndjson.zst")
    .option("--packed", "frames, many a record, instead of JSON")
    .option("--rate <n>", "transactions a second (default: as fast as it goes)")
    .option("--repeat <n>", "send it so often, each time with fresh hashes and block numbers", "1")
    .option("--topic <name>", "another topic than the configured one")
    .addHelpText(
      "after",
      "\nExamples:\n  weir produce test/recordings/dex.ndjson.gz\n  weir produce blocks.ndjson.gz --packed --repeat 100 --rate 20000",
    )
    .action(async (file: string, { packed = false, rate, repeat, topic }: ProduceFlags) => {
      const { config } = loadConfiguration();
      const producer = await createProducer({ brokers: brokersOf(config) });
      try {
        const produced = await produceRecording({
          path: file,
          topic: topic ?? config.kafka.topics.txRaw,
          producer,
          packed,
          repeat: wholeNumber("--repeat", repeat),
          ...(rate === undefined ? {} : { rate: wholeNumber("--rate", rate) }),
          signal: interrupted(),
          onProgress: (sent) => process.stderr.isTTY && process.stderr.write(`\r${group(sent)} transactions\x1b[K`),
        });
        if (process.stderr.isTTY) process.stderr.write("\n");
        process.stdout.write(`${JSON.stringify(produced)}\n`);
      } finally {
        await producer.close();
      }
    });
}
