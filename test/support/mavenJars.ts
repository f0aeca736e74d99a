import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../engine/ops/cacheFolder.ts";

export const remedy = `  Either install Java 17 and Maven (Debian: apt-get install -y openjdk-17-jre-headless maven), or point at running brokers: KAFKA_BROKERS=host:port`;

/** Runs a command to its end; throws with the last lines of its output. ENOENT becomes the remedy above. */
export async function run(command: string, args: string[], cwd: string): Promise<void> {
  const output: Buffer[] = [];
  const code = await new Promise<number | string | null>((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new Error(`Cannot run "${command}": it is not installed, expected it on the PATH\n${remedy}`)
          : error,
      ),
    );
    child.once("close", (status, signal) => resolve(status ?? signal));
  });
  if (code !== 0) {
    const tail = Buffer.concat(output).toString().trim().split("\n").slice(-20).join("\n");
    throw new Error(`Cannot run "${command} ${args[0]}": it ended with ${code}, expected 0\n${tail}\n${remedy}`);
  }
}

/**
 * A folder of jars, copied once from Maven Central into the user's cache folder. Safe for several processes at once: each fills a
 * folder of its own and the first rename wins.
 *
 * @param name of the folder, with the version
 * @param pom with what is wanted as dependencies
 * @param begins told that it is copied, and where to
 * @param check throws when what was copied is not what was wanted
 */
export async function mavenJars(
  name: string,
  pom: string,
  { begins, check }: { begins?: (folder: string) => void; check?: (lib: string) => void } = {},
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const lib = join(folder, "lib");
  if (existsSync(lib)) return lib;
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    begins?.(folder);
    await writeFile(join(scratch, "pom.xml"), pom);
    const copy = ["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"];
    await run("mvn", copy, scratch);
    check?.(join(scratch, "lib"));
    await rename(scratch, folder);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    if (!existsSync(lib)) throw error; // another process was faster: its copy is as good
  }
  return lib;
}
