import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export const kafkaVersion = "4.1.0";

const pom = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>weir</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

const remedy = `  Either install Java 17 and Maven (Debian: apt-get install -y openjdk-17-jre-headless maven), or point at running brokers: KAFKA_BROKERS=host:port`;

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
 * The folder of Apache Kafka's jars (43 MB), copied once from Maven Central into the user's cache folder.
 * Safe for several processes at once: each fills a folder of its own and the first rename wins.
 */
export async function kafkaJars(): Promise<string> {
  const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = join(cacheHome, "weir", `kafka-${kafkaVersion}`);
  const lib = join(folder, "lib");
  if (existsSync(lib)) return lib;

  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    process.stderr.write(`kafka  copying Apache Kafka ${kafkaVersion} from Maven Central to ${folder}\n`);
    await writeFile(join(scratch, "pom.xml"), pom);
    await run(
      "mvn",
      ["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
      scratch,
    );
    if (!readdirSync(join(scratch, "lib")).includes(`kafka_2.13-${kafkaVersion}.jar`)) {
      throw new Error(`Cannot copy Apache Kafka ${kafkaVersion}: Maven wrote no broker jar, expected one\n${remedy}`);
    }
    await rename(scratch, folder);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    if (!existsSync(lib)) throw error; // another process was faster: its copy is as good
  }
  return lib;
}
