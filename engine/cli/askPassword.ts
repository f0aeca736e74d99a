import { createInterface } from "node:readline";
import { UserError } from "../ops/errors.ts";

/** Bytes that are read of stdin: a password has 256 characters at most. */
const MOST = 4096;

/**
 * A new password: asked for twice without echo on a terminal, else the first line of stdin. Never an argument, which other users of the
 * machine can see.
 * @throws UserError when the two differ, or stdin has none
 */
export async function askPassword(): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) return firstLine(stdin);
  const first = await askHidden("Password: ");
  if ((await askHidden("Again: ")) !== first)
    throw new UserError("Cannot take the password: the two differ, expected the same twice");
  return first;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.includes("\n") || text.length > MOST) break;
  }
  const line = text.split("\n", 1)[0]!.replace(/\r$/, "");
  if (line === "")
    throw new UserError("Cannot read a password: stdin has none, expected it in the first line", {
      next: "printf '%s' \"$PASSWORD\" | npx weir user add NAME, or run it on a terminal",
    });
  return line;
}

/** The terminal shows the question and nothing of the answer. */
function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, terminal: true }); // without an output there is no echo
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      lines.close();
      process.stderr.write("\n");
      resolve(line);
    });
    lines.once("SIGINT", () => {
      lines.close();
      reject(new UserError("Cannot take the password: none was given"));
    });
  });
}
