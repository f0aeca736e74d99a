import { once } from "node:events";

/** To stdout, no faster than its reader takes it: a backtest may print more than memory holds. */
export async function writeOut(text: string): Promise<void> {
  if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
}
