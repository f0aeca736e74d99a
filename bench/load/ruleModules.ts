/**
 * The rules of a mix as WebAssembly modules, each its own: a template for each shape and length of name, written with the SDK and compiled
 * once, in whose strings the rule's values are put. That is what the compiler makes of a rule that is written out (ruleModules.test.ts). Names of
 * four lengths, since where a text lies depends on how long those before it are, and code says where. The filter in the manifest says what the module
 * asks again.
 */
import { admit } from "../../engine/sandbox/admit.ts";
import type { Manifest } from "../../engine/sandbox/parseManifest.ts";
import { compileWithLoop } from "./loopModule.ts";
import type { JsonRule } from "./ruleMix.ts";

export interface RuleModule {
  readonly manifest: Manifest;
  /** As an author would upload it. */
  readonly uploaded: Uint8Array<ArrayBuffer>;
  /** What admission makes of that. */
  readonly admitted: Uint8Array<ArrayBuffer>;
}

/** Texts of the templates that are replaced by others of the same length. Numbers have leading zeros, which `u256()` takes. */
const PLACE = {
  name: "r86420",
  chain: "70707",
  selector: "0xdeadbeef",
  address: `0x${"ab".repeat(20)}`,
  amount: "31415926535897932384",
  price: "31415926535",
  bound: '"value":"27182818284"}', // the end of a condition in JSON; shorter ones are filled up with spaces
} as const;
type Place = keyof typeof PLACE;
type Values = Partial<Record<Place, string>>;

/** What a name has behind the rule's id, in turn. */
export const TAILS = ["", "-of-whales", "-to-a-bridge-of-ours", "-from-the-treasury-of-a-dao"];

const template = (imports: string, least: string, declarations: string, test: string) => (tail: string) =>
  `
import { Tx, Severity, alert, filter, name, u256, ${imports} } from "@weir/rules";
name("${PLACE.name}${tail}");
const LEAST = u256("${least}");
${declarations}
export function onTx(tx: Tx): void {
  if (${test}) alert(Severity.Low, "${PLACE.name}${tail}");
}`;

const TEMPLATES = {
  recipient: template(
    "address",
    PLACE.amount,
    `const CHAIN = u256("${PLACE.chain}").toU64();
     const TO = address("${PLACE.address}");
     filter.chain(CHAIN).to("${PLACE.address}").minValue(LEAST);`,
    "tx.chainId == CHAIN && tx.to == TO && tx.value >= LEAST",
  ),
  sender: template(
    "address",
    PLACE.amount,
    `const FROM = address("${PLACE.address}");
     filter.from("${PLACE.address}").minValue(LEAST);`,
    "tx.from == FROM && tx.value >= LEAST",
  ),
  selector: template(
    "selector",
    PLACE.price,
    `const SELECTOR = selector("${PLACE.selector}");
     filter.selector("${PLACE.selector}").where('{"field":"gasPrice","operator":"gte",${PLACE.bound}');`,
    "tx.selector == SELECTOR && tx.gasPrice.asU256() >= LEAST",
  ),
} as const;
type Shape = keyof typeof TEMPLATES;

/** Compiles the templates. @returns what makes a module of a rule of the mixes dense and sparse */
export async function createModuleMaker(): Promise<(rule: JsonRule) => RuleModule> {
  const made = new Map<string, RuleModule>();
  for (const shape of Object.keys(TEMPLATES) as Shape[])
    for (const tail of TAILS) {
      const uploaded = await compileWithLoop(PLACE.name + tail, TEMPLATES[shape](tail));
      const admission = admit(uploaded);
      if (!admission.ok) throw new Error(`Cannot admit the template "${shape}": ${admission.findings[0]!.message}`);
      const { module: admitted, manifest } = admission;
      made.set(`${shape} ${tail}`, { uploaded, admitted: Uint8Array.from(admitted), manifest });
    }
  let makes = 0;
  return (rule) => {
    const { shape, values } = valuesOf(rule);
    const tail = TAILS[makes++ % TAILS.length]!;
    const { uploaded, admitted, manifest } = made.get(`${shape} ${tail}`)!;
    return {
      uploaded: patched(uploaded, values),
      admitted: patched(admitted, values), // what admission gives for `uploaded`: ruleModules.test.ts
      manifest: manifestOf(manifest, { ...values, name: values.name! + tail }),
    };
  };
}

/** The rule as its author writes it: numbers as long as they are. @param tail one of TAILS */
export function writtenOut(rule: JsonRule, tail: string): string {
  const { shape, values } = valuesOf(rule);
  const short = (digits?: string) => digits?.replace(/^0+/, "");
  const plain = { ...values, chain: short(values.chain), amount: short(values.amount), price: short(values.price) };
  return Object.entries(plain).reduce(
    (source, [place, value]) => (value ? source.replaceAll(PLACE[place as Place], value.trimEnd()) : source),
    TEMPLATES[shape](tail),
  );
}

function valuesOf({ id, conditions }: JsonRule): { shape: Shape; values: Values } {
  if (!("and" in conditions)) throw new RangeError(`Cannot make a module of rule "${id}": expected a conjunction`);
  const by: Record<string, string> = {};
  for (const each of conditions.and) if ("field" in each) by[each.field] = String(each.value);
  const { chainId, from, to, input, value, gasPrice } = by;
  const least = String(BigInt(value ?? gasPrice!) + 1n); // gt as at least
  const amount = least.padStart(PLACE.amount.length, "0");
  if (to !== undefined)
    return { shape: "recipient", values: { name: id, chain: chainId!.padStart(5, "0"), address: to, amount } };
  if (from !== undefined) return { shape: "sender", values: { name: id, address: from, amount } };
  const bound = `"value":"${least}"}`.padEnd(PLACE.bound.length);
  const price = least.padStart(PLACE.price.length, "0");
  return { shape: "selector", values: { name: id, selector: input!, price, bound } };
}

/** Replaces each text, which stands once in the module's data, in UTF-16. */
function patched(module: Uint8Array<ArrayBuffer>, values: Values): Uint8Array<ArrayBuffer> {
  const copy = Buffer.from(module);
  for (const [place, value] of Object.entries(values)) {
    const [from, to] = [PLACE[place as Place], value].map((text) => Buffer.from(text, "utf16le")) as [Buffer, Buffer];
    const at = copy.indexOf(from);
    if (from.length !== to.length || at < 0 || copy.indexOf(from, at + 1) >= 0)
      throw new Error(`Cannot put "${value}" into a module: expected one place for ${from.length / 2} characters`);
    to.copy(copy, at);
  }
  return Uint8Array.from(copy);
}

/** The module with a section behind it that says nothing: id 0, 6 bytes, a name of one, the number. To V8 it is another module. */
export const renamed = (module: Uint8Array, number: number): Uint8Array<ArrayBuffer> => {
  const section = Uint8Array.of(0, 6, 1, 0x78, ...new Uint8Array(Uint32Array.of(number).buffer));
  return new Uint8Array(Buffer.concat([module, section]));
};

/** The template's manifest with the rule's values: what reading the module's own would give. */
function manifestOf(
  { filter, ...others }: Manifest,
  { name, chain, selector, address, amount, price }: Values,
): Manifest {
  return {
    ...others,
    name: name!,
    filter: {
      ...(filter.chains && { chains: [Number(chain)] }),
      ...(filter.to && { to: [address!] }),
      ...(filter.from && { from: [address!] }),
      ...(filter.selectors && { selectors: [selector!] }),
      ...(filter.minValue !== undefined && { minValue: String(BigInt(amount!)) }),
      ...(filter.where && { where: { and: [{ field: "gasPrice", operator: "gte", value: String(BigInt(price!)) }] } }),
    },
  };
}
