/** The command line: `npx weir --help`. One file a command in cli/; data on stdout, everything else on stderr. */
import { Command, CommanderError } from "commander";
import { apiCommand } from "./cli/api.ts";
import { configCommand } from "./cli/config.ts";
import { doctorCommand } from "./cli/doctor.ts";
import { migrateCommand } from "./cli/migrate.ts";
import { produceCommand } from "./cli/produce.ts";
import { recordCommand } from "./cli/record.ts";
import { replayCommand } from "./cli/replay.ts";
import { ruleCommand } from "./cli/rule.ts";
import { sqlCommand } from "./cli/sql.ts";
import { startCommand } from "./cli/start.ts";
import { topicsCommand } from "./cli/topics.ts";
import { describeError, EXIT, exitCodeOf } from "./ops/errors.ts";

const program = new Command("weir")
  .description("A stream-processing engine for blockchain transactions with a WASM rule sandbox")
  .version("0.1.0")
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    "after",
    "\nExit codes: 0 ok, 1 a finding or refused input, 2 usage, 3 configuration, 4 a service is unreachable, 70 a bug, 130 Ctrl-C",
  );

for (const add of [
  startCommand,
  apiCommand,
  replayCommand,
  recordCommand,
  produceCommand,
  sqlCommand,
  ruleCommand,
  migrateCommand,
  topicsCommand,
  configCommand,
  doctorCommand,
])
  add(program);
for (const command of program.commands) inherit(command);

function inherit(command: Command): void {
  command.copyInheritedSettings(program);
  command.commands.forEach(inherit);
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // `weir … | head` has seen enough
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has said what is wrong
  } else {
    process.stderr.write(`${describeError(error, { stack: process.env.LOG_LEVEL === "debug" })}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
// What was printed goes out first, also into a slow pipe. Whatever a command left open (timers, an idle connection) must not keep
// a finished process alive.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit();
