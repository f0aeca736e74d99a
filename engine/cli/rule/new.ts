import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { UsageError, UserError } from "../../ops/errors.ts";
import { RULE_NAME } from "../../sandbox/manifest.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const EXAMPLES = ["whale-transfer", "unlimited-approval", "ownership-change", "watched-address", "failed-router-call"];
/** Conditions, no code. */
const JSON_TEMPLATES: Readonly<Record<string, string>> = {
  json: "rules-as/examples/templates/large-transfer",
  "json-event": "rules-as/examples/templates/token-transfer",
  "json-facts": "rules-as/examples/templates/paid-arbitrage",
};
const TEMPLATES: Record<string, string> = {
  minimal: "rules-as/examples/templates/minimal",
  facts: "rules-as/examples/templates/unseen-arbitrage",
  ...JSON_TEMPLATES,
  ...Object.fromEntries(EXAMPLES.map((name) => [name, `rules-as/examples/${name}`])),
};

export function newCommand(command: Command): void {
  command
    .argument("<name>", "of the rule, and of the folder that is made: a-z 0-9 - _")
    .addOption(
      new Option(
        "--template <name>",
        "what to begin with; facts: on what was found; json, json-event, json-facts: a condition, no code",
      )
        .choices(Object.keys(TEMPLATES))
        .default("minimal"),
    )
    .option("--json", "one line of JSON: the files made")
    .addHelpText(
      "after",
      "\nNothing is ever overwritten.\n\nExamples:\n  weir rule new big-approval && weir rule test big-approval\n  weir rule new my-whales --template whale-transfer\n  weir rule new large-transfer --template json\n  weir rule new usdc --template json-event   # arguments of an event by name",
    )
    .action((path: string, { template, json = false }: { template: string; json?: boolean }) => {
      const name = basename(path);
      if (!RULE_NAME.pattern.test(name))
        throw new UsageError(`Cannot make the rule "${name}": it cannot be called so. ${RULE_NAME.expected}`);
      const folder = resolve(path);
      const kind = template in JSON_TEMPLATES ? "json" : "ts";
      const files = (kind === "json" ? jsonFilesOf : filesOf)(name, folder, join(ROOT, TEMPLATES[template]!));
      try {
        mkdirSync(folder);
      } catch (error) {
        const there = (error as NodeJS.ErrnoException).code === "EEXIST";
        const state = there ? "it is there already, and nothing is overwritten" : (error as Error).message;
        throw new UserError(`Cannot make the folder "${path}": ${state}`, there ? { next: "Choose another name" } : {});
      }
      for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content, { flag: "wx" });
      const made = Object.keys(files).map((file) => join(path, file));
      if (json) process.stdout.write(`${JSON.stringify({ rule: name, template, files: made })}\n`);
      else process.stdout.write(`${made.map((file) => `${file}\n`).join("")}\nnext\n${nextCommands(path, name, kind)}`);
    });
}

/** By name. The template's own name in its test becomes the rule's. */
function filesOf(name: string, folder: string, template: string): Record<string, string> {
  return {
    [`${name}.ts`]: readFileSync(`${template}.ts`, "utf8"),
    [`${name}.test.json`]: readFileSync(`${template}.test.json`, "utf8"),
    "tsconfig.json": `${JSON.stringify(editorConfig(name), null, 2)}\n`,
    "README.md": `# ${name}\n\n${name}.ts is the rule, ${name}.test.json what it must say of which transactions.\n\n${nextCommands(folder, name, "ts")}\nThe SDK on one page: ${join(ROOT, "rules-as/README.md")}\n`,
    "package.json": `${JSON.stringify({ name, private: true, type: "module" }, null, 2)}\n`,
    ".gitignore": "build/\n",
  };
}

/** For the editor alone: the compiler has its own. Comparing amounts with < is fine there; + and - it underlines. */
const editorConfig = (name: string) => ({
  extends: join(ROOT, "node_modules/assemblyscript/std/assembly.json"),
  compilerOptions: {
    noEmit: true,
    paths: { "@weir/rules": [join(ROOT, "rules-as/assembly/index.ts")] },
  },
  files: [`${name}.ts`],
});

/** A JSON rule is its one file. */
function jsonFilesOf(name: string, folder: string, template: string): Record<string, string> {
  const rule = JSON.parse(readFileSync(`${template}.json`, "utf8")) as object;
  return {
    [`${name}.json`]: `${JSON.stringify({ ...rule, name }, null, 2)}\n`,
    [`${name}.test.json`]: readFileSync(`${template}.test.json`, "utf8"),
    "README.md": `# ${name}\n\n${name}.json is the rule, ${name}.test.json what it must say of which transactions.\n\n${nextCommands(folder, name, "json")}\nFields and operators: ${join(ROOT, "engine/condition/README.md")}\n`,
  };
}

const nextCommands = (path: string, name: string, kind: "ts" | "json"): string =>
  [
    ["test", path, "in the real sandbox; --update writes down what it says now"],
    ["run", `${join(path, name)}.${kind} --watch`, "over the bundled recording, again whenever it is saved"],
    ...(kind === "ts" ? [["build", `${join(path, name)}.ts`, "one .wasm is the whole rule"]] : []),
    ["push", `${join(path, name)}.${kind}`, "to a running engine"],
  ]
    .map(([action, args, what]) => `    npx weir rule ${action} ${args}   # ${what}\n`)
    .join("");
