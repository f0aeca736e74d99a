/**
 * What a rule says about itself, at its top level. `weir_manifest` gives it as JSON (engine/sandbox/manifest.ts).
 * Members are kept as they will be printed: `"name":"whale"`.
 */
import { isRunning } from "rt/stub";
import { Severity } from "./results";
import { U256 } from "./u256";

/** What a failure of the rule means for its transaction: nothing, a dead letter, or the end of the stream. */
export enum OnError {
  Skip = 0,
  Dlq = 1,
  Halt = 2,
}

const SEVERITIES: StaticArray<string> = ["info", "low", "medium", "high", "critical"];
const POLICIES: StaticArray<string> = ["skip", "dlq", "halt"];

const members = new Map<string, string>();
const filterMembers = new Map<string, string>();
// The filter's values become JSON when the manifest is asked for: nothing is ever freed, and what a rule makes at its top level is
// in the memory of every instance, to be written anew whenever another rule of the same code had its turn.
/** Conditions that are lists: of texts, but for "chains". */
const alternatives = new Map<string, string[]>();
const amounts = new Map<string, U256>();
const wheres: string[] = [];
const parameters = new Map<string, string>();
const states: string[] = [];
const lists: string[] = [];

/** Aborts unless top-level statements are running. */
export function declaring(what: string): void {
  if (isRunning()) throw new Error(`Cannot call ${what} within onTx: expected it at the top level of the rule`);
}

/** Name of the rule: a-z, 0-9, - and _. Without it the file's name is taken. */
export function name(text: string): void {
  declaring("name");
  members.set("name", quote(text));
}

/** Version of the rule, from 1. Without it the catalogue counts. */
export function version(number: i32): void {
  declaring("version");
  members.set("version", number.toString());
}

/** One sentence for those who read the alerts. */
export function describe(text: string): void {
  declaring("describe");
  members.set("description", quote(text));
}

/** How grave a finding of this rule is in general; each alert still says its own. */
export function severity(level: Severity): void {
  declaring("severity");
  members.set("severity", quote(SEVERITIES[level]));
}

/** What a failure means: a dead letter unless said otherwise. */
export function onError(policy: OnError): void {
  declaring("onError");
  members.set("onError", quote(POLICIES[policy]));
}

export function setDefaultName(text: string): void {
  if (!members.has("name")) members.set("name", quote(text));
}

/** The rule is to be shown what was found of its transactions. */
export function setFacts(version: u32): void {
  members.set("facts", version.toString());
}

/** Sets a condition of the filter, as JSON. */
export function setCondition(key: string, json: string): void {
  declaring("filter");
  filterMembers.set(key, json);
}

/** Adds an alternative to a condition that is a list: of texts, or of numbers as digits. */
export function addAlternative(key: string, value: string): void {
  declaring("filter");
  if (!alternatives.has(key)) alternatives.set(key, []);
  alternatives.get(key).push(value);
}

/** Adds a condition as JSON rules have them. */
export function addWhere(json: string): void {
  declaring("filter");
  wheres.push(json);
}

/** Sets a condition of the filter that is an amount. */
export function setAmount(key: string, value: U256): void {
  declaring("filter");
  amounts.set(key, value);
}

/** @param json the default  @param range members that say which values may be given, each with a comma in front */
export function addParameter(name: string, type: string, json: string, range: string, description: string): void {
  declaring("param");
  if (parameters.has(name)) throw new Error(`Cannot declare the parameter "${name}" twice`);
  const text = description.length > 0 ? `,"description":${quote(description)}` : "";
  parameters.set(name, `{"type":"${type}","default":${json}${range}${text}}`);
}

/** @returns what the host knows it by */
export function declareState(name: string, json: string): i32 {
  declaring("counter and window");
  states.push(`{"name":${quote(name)},${json}}`);
  return states.length - 1;
}

/** Says more of one that was declared. */
export function addToState(declaration: i32, json: string): void {
  declaring("minedOnly");
  states[declaration] = states[declaration].slice(0, -1) + "," + json + "}";
}

/** @returns its number in the manifest; of a list that is declared twice the first one */
export function declareList(name: string, bytes: i32): i32 {
  declaring("a list");
  const json = `{"name":${quote(name)},"bytes":${bytes}}`;
  const at = lists.indexOf(json);
  return at >= 0 ? at : lists.push(json) - 1;
}

export function manifestJson(): string {
  let json = '{"manifest":1' + join(members, ",");
  if (parameters.size > 0) json += ',"parameters":{' + join(parameters, "") + "}";
  addToFilter();
  if (filterMembers.size > 0) json += ',"filter":{' + join(filterMembers, "") + "}";
  if (states.length > 0) json += ',"state":[' + states.join(",") + "]";
  if (lists.length > 0) json += ',"lists":[' + lists.join(",") + "]";
  return json + "}";
}

function addToFilter(): void {
  const lists = alternatives.keys();
  for (let i = 0; i < lists.length; ++i) {
    const values = alternatives.get(lists[i]).slice();
    if (lists[i] != "chains") for (let v = 0; v < values.length; ++v) values[v] = quote(values[v].toLowerCase());
    filterMembers.set(lists[i], "[" + values.join(",") + "]");
  }
  const names = amounts.keys();
  for (let i = 0; i < names.length; ++i) filterMembers.set(names[i], quote(amounts.get(names[i]).toString()));
  if (wheres.length > 0) filterMembers.set("where", '{"and":[' + wheres.join(",") + "]}");
}

function join(map: Map<string, string>, lead: string): string {
  const keys = map.keys();
  let text = "";
  for (let i = 0; i < keys.length; ++i) {
    text += (i > 0 ? "," : lead) + quote(keys[i]) + ":" + map.get(keys[i]);
  }
  return text;
}

/** A JSON string. Nothing is ever freed, so each text that is made on the way stays in the memory of every instance. */
export function quote(text: string): string {
  let escaped = "", from = 0;
  for (let i = 0; i < text.length; ++i) {
    const code = text.charCodeAt(i);
    if (code >= 32 && code != 34 && code != 92) continue;
    escaped += text.substring(from, i) + "\\" + (code < 32 ? "u" + code.toString(16).padStart(4, "0") : text.charAt(i));
    from = i + 1;
  }
  return '"' + (from == 0 ? text : escaped + text.substring(from)) + '"';
}
