/**
 * Esper 9, the event processor with a filter index of its own: rules as statements of its language, transactions as beans. Its jars
 * come from Maven Central into the user's cache folder once; Java 17 and Maven are needed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mavenJars, run } from "../../test/support/mavenJars.ts";
import type { JsonCondition, JsonRule } from "../load/ruleMix.ts";
import type { MixTransaction, Pairs } from "../load/ruleTruth.ts";

const VERSION = "9.0.0";
const SOURCES = ["EsperRules", "EsperPeer"].map((name) =>
  fileURLToPath(new URL(`esper/${name}.java`, import.meta.url)),
);
const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>weir</groupId><artifactId>esper-for-bench</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.espertech</groupId><artifactId>esper-compiler</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>com.espertech</groupId><artifactId>esper-runtime</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

export interface EsperResult extends Pairs {
  readonly deploySeconds: number;
  /** CPU of the sending thread a transaction, by run. */
  readonly microseconds: readonly number[];
}

/** The folder of Esper's jars. */
export const esperJars = (): Promise<string> => mavenJars(`esper-${VERSION}`, POM);

/** Esper's class path with the peer's own classes. @throws Error when Java or Maven are missing, or Maven Central is not reached */
export async function prepareEsper(): Promise<string> {
  const lib = await esperJars();
  const classes = join(dirname(lib), "classes");
  await run("javac", ["-cp", join(lib, "*"), "-d", classes, ...SOURCES], dirname(lib));
  return `${join(lib, "*")}:${classes}`;
}

/**
 * @param seconds it may take at most, deployment included
 * @throws Error when it takes longer, or fails
 */
export async function runEsper(
  classPath: string,
  rules: readonly JsonRule[],
  transactions: readonly MixTransaction[],
  runs: number,
  seconds: number,
): Promise<EsperResult> {
  const folder = await mkdtemp(join(tmpdir(), "weir-esper-"));
  try {
    const [statements, beans] = [join(folder, "statements"), join(folder, "transactions")];
    await writeFile(statements, rules.map(statementOf).join("\n"));
    await writeFile(beans, transactions.map(bean).join("\n"));
    const args = ["-Xmx4g", "-cp", classPath, "EsperPeer", statements, beans, String(runs), "0.5"];
    const child = spawn("java", args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let trouble = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      trouble += chunk.toString();
    });
    const kill = (): void => void child.kill("SIGKILL");
    const timer = setTimeout(kill, seconds * 1_000);
    process.once("exit", kill); // on an interrupt, too
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    clearTimeout(timer);
    process.off("exit", kill);
    if (signal === "SIGKILL") throw new Error(`Cannot wait for Esper any longer: it has taken ${seconds} s`);
    if (code !== 0) throw new Error(`Cannot measure Esper: it ended with ${code}: ${trouble.trim().split("\n")[0]}`);
    return JSON.parse(text) as EsperResult;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const OPERATORS: Readonly<Record<string, string>> = {
  eq: "=",
  starts_with: "=",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
};

/** `select * from Tx((chainId = ?:p1:int) and …)`, and the parameters' values behind tabs. */
export function statementOf({ conditions }: JsonRule): string {
  const values: string[] = [];
  const text = (condition: JsonCondition): string => {
    if ("and" in condition) return condition.and.map((each) => `(${text(each)})`).join(" and ");
    if ("or" in condition) return condition.or.map((each) => `(${text(each)})`).join(" or ");
    if ("not" in condition) return `not (${text(condition.not)})`;
    const { field, operator, value } = condition;
    const type = String(value).startsWith("0x") ? "string" : field === "chainId" ? "int" : "long";
    values.push(`${type}:${value}`);
    // The first four bytes of the input are a property of their own, or there would be nothing to index.
    return `\`${field === "input" ? "selector" : field}\` ${OPERATORS[operator]} ?:p${values.length}:${type}`;
  };
  return [`select * from Tx(${text(conditions)})`, ...values].join("\t");
}

const bean = ({ chainId, from, to, input, nonce, value, gasPrice }: MixTransaction): string =>
  [chainId, from, to, input.slice(0, 10), nonce, value, gasPrice].join("\t");
