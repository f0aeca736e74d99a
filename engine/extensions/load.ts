/** Loads what WEIR_EXTENSIONS names. Modules run with all the rights of the process that loads them: they are as trusted as Weir's own files. */
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type Config, ConfigError, type ConfigProblem } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Exporter, Extension, Processor } from "./extension.ts";

const callable = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === "function",
  "expected a function",
);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "expected lower-case letters, digits and -, at most 32");

const extensionSchema = z.discriminatedUnion(
  "kind",
  [
    z.object({ kind: z.literal("exporter"), name, extension: z.string().regex(/^[a-z0-9]{1,16}$/, "expected letters and digits, at most 16"), write: callable }),
    z.object({ kind: z.literal("processor"), name, reads: z.string().regex(/^[\w.-]{1,249}$/, "expected a topic"), process: callable }),
  ],
  'expected "exporter" or "processor"',
); // biome-ignore format: a kind a line

export interface Extensions {
  readonly exporters: readonly Exporter[];
  readonly processors: readonly Processor[];
}

/** @throws ConfigError that names each module that cannot be used, and why */
export async function loadExtensions({ extensions }: Pick<Config, "extensions">): Promise<Extensions> {
  const problems: ConfigProblem[] = [];
  const loaded: Extension[] = [];
  for (const path of extensions) {
    const cannot = (problem: string, expected: string): void =>
      void problems.push({ variable: "WEIR_EXTENSIONS", value: path, problem, expected });
    let module: { readonly default?: unknown };
    try {
      module = (await import(pathToFileURL(path).href)) as typeof module;
    } catch (error) {
      cannot(`it cannot be loaded: ${messageOf(error)}`, "the path of an ES module (.mjs) that Node runs");
      continue;
    }
    for (const [i, given] of [module.default].flat().entries()) {
      const read = extensionSchema.safeParse(given);
      const place = Array.isArray(module.default) ? `default[${i}]` : "default";
      if (!read.success) {
        const { path: at, message } = read.error.issues[0]!;
        cannot(
          `${[place, ...at].join(".")}: ${message}`,
          "an exporter or a processor, or an array of them, as default export",
        );
      } else if (loaded.some(({ kind, name }) => kind === read.data.kind && name === read.data.name))
        cannot(`${place}.name: there is another ${read.data.kind} "${read.data.name}"`, "a name of its own");
      else loaded.push(given as Extension); // itself, not a copy: its methods may want `this`
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    exporters: loaded.filter((each) => each.kind === "exporter"),
    processors: loaded.filter((each) => each.kind === "processor"),
  };
}
