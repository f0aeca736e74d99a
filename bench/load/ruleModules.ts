/**
 * The rules of a mix as WebAssembly modules, each its own: a template a shape, written with the SDK and compiled once, in whose strings
 * the rule's values are put. The filter in the manifest says what the module asks again.
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
  bound: '"value":"27182818284590452353"}', // the end of a condition in JSON; shorter ones are filled up with spaces
} as const;
type Place = keyof typeof PLACE;
type Values = Partial<Record<Place, string>>;

const template = (imports: string, declarations: string, test: string): string => `
import { Tx, Severity, alert, filter, name, u256, ${imports} } from "@weir/rules";
name("${PLACE.name}");
const AMOUNT = u256("${PLACE.amount}");
${declarations}
export function onTx(tx: Tx): void {
  if (${test}) alert(Severity.Low, "${PLACE.name}");
}`;

const TEMPLATES = {
  recipient: template(
    "address",
    `const CHAIN = u256("${PLACE.chain}").toU64();
     const TO = address("${PLACE.address}");
     filter.chain(CHAIN).to("${PLACE.address}").minValue(AMOUNT);`,
    "tx.chainId == CHAIN && tx.to == TO && tx.value >= AMOUNT",
  ),
  sender: template(
    "address",
    `const FROM = address("${PLACE.address}");
     filter.from("${PLACE.address}").minValue(AMOUNT);`,
    "tx.from == FROM && tx.value >= AMOUNT",
  ),
  selector: template(
    "selector",
    `const SELECTOR = selector("${PLACE.selector}");
     filter.selector("${PLACE.selector}").where('{"field":"gasPrice","operator":"gte",${PLACE.bound}');`,
    "tx.selector == SELECTOR && tx.gasPrice.asU256() >= AMOUNT",
  ),
} as const;
type Shape = keyof typeof TEMPLATES;

/** Compiles the templates. @returns what makes a module of a rule of the mixes dense and sparse */
export async function createModuleMaker(): Promise<(rule: JsonRule) => RuleModule> {
  const made = new Map<Shape, RuleModule>();
  for (const shape of Object.keys(TEMPLATES) as Shape[]) {
    const uploaded = await compileWithLoop(shape, TEMPLATES[shape]);
    const admission = admit(uploaded);
    if (!admission.ok) throw new Error(`Cannot admit the template "${shape}": ${admission.findings[0]!.message}`);
    made.set(shape, { uploaded, admitted: Uint8Array.from(admission.module), manifest: admission.manifest });
  }
  return (rule) => {
    const { shape, values } = valuesOf(rule);
    const { uploaded, admitted, manifest } = made.get(shape)!;
    return {
      uploaded: patched(uploaded, values),
      admitted: patched(admitted, values), // what admission gives for `uploaded`: ruleModules.test.ts
      manifest: manifestOf(manifest, values),
    };
  };
}

function valuesOf({ id, conditions }: JsonRule): { shape: Shape; values: Values } {
  if (!("and" in conditions)) throw new RangeError(`Cannot make a module of rule "${id}": expected a conjunction`);
  const by: Record<string, string> = {};
  for (const each of conditions.and) if ("field" in each) by[each.field] = String(each.value);
  const { chainId, from, to, input, value, gasPrice } = by;
  const amount = String(BigInt(value ?? gasPrice!) + 1n).padStart(PLACE.amount.length, "0"); // gt as at least
  if (to !== undefined)
    return { shape: "recipient", values: { name: id, chain: chainId!.padStart(5, "0"), address: to, amount } };
  if (from !== undefined) return { shape: "sender", values: { name: id, address: from, amount } };
  const bound = `"value":"${BigInt(amount)}"}`.padEnd(PLACE.bound.length);
  return { shape: "selector", values: { name: id, selector: input!, amount, bound } };
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
function manifestOf({ filter, ...others }: Manifest, { name, chain, selector, address, amount }: Values): Manifest {
  return {
    ...others,
    name: name!,
    filter: {
      ...(filter.chains && { chains: [Number(chain)] }),
      ...(filter.to && { to: [address!] }),
      ...(filter.from && { from: [address!] }),
      ...(filter.selectors && { selectors: [selector!] }),
      ...(filter.minValue !== undefined && { minValue: String(BigInt(amount!)) }),
      ...(filter.where && { where: { and: [{ field: "gasPrice", operator: "gte", value: String(BigInt(amount!)) }] } }),
    },
  };
}
