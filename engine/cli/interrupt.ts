/**
 * Aborts with the first Ctrl-C or SIGTERM: what is begun is finished, nothing is lost. A second one ends the process at once,
 * which loses nothing either: the next start begins from the ledger.
 */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    if (process.stderr.isTTY) process.stderr.write("\nfinishing what is begun; once more to stop at once\n");
    controller.abort(new Error(`stopped by ${signal}`));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
