/** The process of the command line: what cli/program.ts does, with real streams, and then its end. */
import { runProgram } from "./cli/program.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // `weir … | head` has seen enough
  throw error;
});

await runProgram();
// What was printed goes out first, also into a slow pipe. Whatever a command left open (timers, an idle connection) must not keep
// a finished process alive.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit();
