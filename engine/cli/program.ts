/**
 * The command line: `npx weir --help`. One file a command in this folder, loaded when it is called: what one command needs (a
 * Kafka client, an RPC client, an API) costs the others nothing. Data on stdout, everything else on stderr.
 */
import { Command, CommanderError } from "commander";
import { describeError, EXIT, exitCodeOf } from "../ops/errors.ts";
import { VERSION } from "../ops/version.ts";

/** Adds arguments, options and the action to a command that has its name and description. */
type Define = (command: Command) => unknown;

const COMMANDS: Record<string, { description: string; load(): Promise<Define> }> = {
  start: {
    description: "run the engine and the API: from Kafka if it is configured, else over the bundled recording",
    load: async () => (await import("./start.ts")).startCommand,
  },
  api: {
    description: "the API alone, beside engines that run elsewhere",
    load: async () => (await import("./api.ts")).apiCommand,
  },
  replay: {
    description: "put a recording through the engine into the store",
    load: async () => (await import("./replay.ts")).replayCommand,
  },
  record: {
    description: "write what a node gives as a recording, until Ctrl-C or the last block asked for",
    load: async () => (await import("./record.ts")).recordCommand,
  },
  watch: {
    description: "follow chains through their nodes and put them on the topic that the engine reads",
    load: async () => (await import("./watch.ts")).watchCommand,
  },
  detect: {
    description: "what a recording's transactions did: swaps, arbitrages, sandwiches, liquidations; no store, no Kafka",
    load: async () => (await import("./detect.ts")).detectCommand,
  },
  backfill: {
    description: "read a range of a chain's blocks from its nodes, into a recording or onto the topic",
    load: async () => (await import("./backfill.ts")).backfillCommand,
  },
  produce: {
    description: "put a recording on the topic that the engine reads",
    load: async () => (await import("./produce.ts")).produceCommand,
  },
  sql: {
    description: "ask the store: a table on a terminal, JSON lines in a pipe; read-only",
    load: async () => (await import("./sql.ts")).sqlCommand,
  },
  export: {
    description: "what the store has as files: CSV, Parquet, JSON, Arrow, HDF5, TFRecord",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  process: {
    description: "run stream processors of one's own over the topics, beside the engines",
    load: async () => (await import("./process.ts")).processCommand,
  },
  features: {
    description: "features of transactions for models: what was known before each of them",
    load: async () => (await import("./features.ts")).featuresCommand,
  },
  rule: {
    description: "rules: modules that are shown transactions and raise alerts",
    load: async () => (await import("./rule.ts")).ruleCommand,
  },
  owner: {
    description: "owners of rules and their quotas",
    load: async () => (await import("./owner.ts")).ownerCommand,
  },
  list: {
    description: "named lists that rules refer to: addresses, tokens, selectors, topics",
    load: async () => (await import("./list.ts")).listCommand,
  },
  label: {
    description: "what addresses and tokens are called where people read alerts",
    load: async () => (await import("./label.ts")).labelCommand,
  },
  notify: {
    description: "where alerts are told: channels, test messages, what became of each",
    load: async () => (await import("./notify.ts")).notifyCommand,
  },
  archive: {
    description: "the time machine: what was stored goes into files, can be asked there, and comes back",
    load: async () => (await import("./archive.ts")).archiveCommand,
  },
  backup: {
    description: "store, rules, users and positions as of one moment, into a folder or a bucket",
    load: async () => (await import("./backup.ts")).backupCommand,
  },
  restore: {
    description: "put a backup in place of an installation",
    load: async () => (await import("./restore.ts")).restoreCommand,
  },
  user: {
    description: "who may log in to the API: the first administrator, and everybody else",
    load: async () => (await import("./user.ts")).userCommand,
  },
  key: {
    description: "API keys of users, for programs",
    load: async () => (await import("./key.ts")).keyCommand,
  },
  migrate: {
    description: "bring the tables of the store up to this version",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  topics: {
    description: "create the topics that are missing",
    load: async () => (await import("./topics.ts")).topicsCommand,
  },
  config: {
    description: "what is configured, and where each value comes from",
    load: async () => (await import("./config.ts")).configCommand,
  },
  doctor: {
    description: "what is configured, what is reachable, and a next step for each problem",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
};

/** Runs the command that `process.argv` says, and sets `process.exitCode`. Never rejects: an error has been described by then. */
export async function runProgram(): Promise<void> {
  const program = new Command("weir")
    .description("A stream-processing engine for blockchain transactions with a WASM rule sandbox")
    .version(VERSION)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 ok, 1 a finding or refused input, 2 usage, 3 configuration, 4 a service is unreachable, 70 a bug, 130 Ctrl-C",
    );
  try {
    for (const [name, { description, load }] of Object.entries(COMMANDS)) {
      const command = program.command(name).description(description);
      if (process.argv.includes(name)) await (await load())(command); // wherever it stands: `weir help start`
    }
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has said what is wrong
    } else {
      process.stderr.write(`${describeError(error, { stack: process.env.LOG_LEVEL === "debug" })}\n`);
      process.exitCode = exitCodeOf(error);
    }
  }
}
