/**
 * What alerts of a JSON rule say: its `message`, with what the transaction has wherever it names a field.
 *
 *     {from} sent {value:18} ETH   ──▶   {0x7a25…488d in full} sent 12.3 ETH
 *
 * An integer may be written with a number of decimals, exactly. An address becomes a mark, so that it reads as it is labelled (label/message.ts).
 */
import { didYouMean } from "../condition/didYouMean.ts";
import { RULE_FIELDS, type RuleField, ruleField } from "../condition/fields.ts";
import type { FrameBytes } from "../frame/readFrame.ts";
import { actualOf } from "./explain.ts";

export const TEXT_LIMITS = { characters: 512, fields: 16, decimals: 36 } as const;

/** Of these a transaction has one value: not those of logs and findings. */
const KINDS = new Set<RuleField["kind"]>(["integer", "boolean", "bytes", "elapsed"]);
const NAMES = RULE_FIELDS.filter(({ kind }) => KINDS.has(kind)).flatMap(({ name, aliases }) => [name, ...aliases]);
const PLACE = /\{([^{}]*)\}/g;

/** What is wrong with a message, in words; none: it can be used. */
export function textProblems(text: string): string[] {
  const places = [...text.matchAll(PLACE)].map(([, place]) => place!);
  const problems = places.flatMap((place) => {
    const [, name = "", decimals] = /^([^:]*)(?::(.*))?$/s.exec(place)!;
    const field = ruleField(name);
    if (!field || !KINDS.has(field.kind))
      return [`There is no field "${name.slice(0, 64)}" that a message may name.${didYouMean(name, NAMES)}`];
    if (decimals === undefined) return [];
    const isNumber = field.kind === "integer" && /^\d{1,2}$/.test(decimals) && Number(decimals) <= TEXT_LIMITS.decimals;
    return isNumber ? [] : [`Cannot write "${place.slice(0, 64)}": expected an integer field and 0 to ${TEXT_LIMITS.decimals} decimals, such as value:18`]; // biome-ignore format: one line
  });
  if (places.length > TEXT_LIMITS.fields)
    problems.push(`It names ${places.length} fields: expected at most ${TEXT_LIMITS.fields}`);
  if (/[{}]/.test(text.replace(PLACE, "")))
    problems.push("A brace stands alone: expected {value}, the name of a field in braces");
  return problems;
}

/** @param frame byte offset of the transaction's frame */
export const alertText = (text: string, frames: FrameBytes, frame: number): string =>
  text.replace(PLACE, (_, place: string) => {
    const [name, decimals] = place.split(":");
    const field = ruleField(name!)!;
    const value = actualOf(field, frames, frame);
    if (value === null) return "none";
    if (field.kind === "bytes" && field.bytes === 20) return `{${value}}`;
    return decimals === undefined ? String(value) : withDecimals(String(value), Number(decimals));
  });

/** All digits that are not zeros at the end. */
function withDecimals(integer: string, decimals: number): string {
  const digits = integer.padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  return `${digits.slice(0, at)}.${digits.slice(at)}`.replace(/\.?0*$/, "");
}
