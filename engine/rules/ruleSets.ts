/**
 * Rule sets by id, ready to run: what ran together, under the hash of what it is. A range of the ledger names its set, so what
 * was begun is finished with the rules that it was begun with, by whichever engine.
 */
import { setImmediate as breathe } from "node:timers/promises";
import type { Control } from "../control/open.ts";
import type { RuleKind, SetMember } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import { textOfValues } from "../sandbox/parameters.ts";
import { admissionId } from "./admission.ts";
import {
  admitAgain,
  type Loaded,
  loadJson,
  loadModule,
  loadPrepared,
  type Prepared,
  type Runnable,
} from "./content.ts";
import type { LiveRule } from "./liveRule.ts";
import {
  type ContentSize,
  type NewAdmitted,
  readAdmitted,
  readContents,
  readSet,
  readSizes,
  writeAdmitted,
} from "./ruleTables.ts";

/** A change overlaps with batches of the set before; a recovery runs older ones. What only older sets have is forgotten. */
const KEPT = 4;
/** Read at a time. */
const CHUNK_BYTES = 4 << 20;
/** Made before others get their turn: 0.3 ms each to compile, 3 ms where admission must look at it again, 0.5 ms with values of parameters. */
const AT_ONCE = 8;

export interface RuleSets {
  /** The rules of a set; members are read from the store unless they are given. @throws UserError when there is no such set */
  get(id: string, members?: readonly SetMember[]): Promise<readonly LiveRule[]>;
  /** One version, whether it runs or not. */
  one(member: SetMember): Promise<LiveRule>;
  /** Told of what was accepted just now, which may come to run. */
  accepted(prepared: Prepared): void;
  /** Whether anybody has asked for a set: an engine has, a command that lists rules has not. */
  used(): boolean;
}

interface KeptSet {
  readonly rules: Promise<readonly LiveRule[]>;
  readonly members: readonly SetMember[];
  readonly has: ReadonlySet<SetMember>;
}

/**
 * Measured with 10,000 modules of 224 bytes on two busy cores: 4.5 s (3.1 s of CPU) to load them as they were admitted, 46 s (34 s)
 * when each must be admitted anew.
 */
export function createRuleSets(control: Control): RuleSets {
  const sets = new Map<string, KeptSet>();
  const loaded = new Map<string, Loaded>();
  /** What was accepted since a set was made last: it need not be read from the store. */
  const accepted = new Map<string, Prepared>();
  /** By content and values: made once, as what a JSON rule's condition costs to read. */
  const runnables = new Map<string, Runnable>();
  /** One object as long as the member is: whoever has a set is told of another by what is not the same. */
  const rulesOf = new WeakMap<SetMember, LiveRule>();

  async function membersOf(id: string): Promise<readonly SetMember[]> {
    const members = await control.read((db) => readSet(db, id));
    if (members) return members;
    throw new UserError(`Cannot run the rule set "${id}": the control store does not have it`, {
      next: "The ledger needs it to finish what it began: use the control store (DATABASE_URL or WEIR_DATA) of then",
    });
  }

  async function loadMissing(members: readonly SetMember[]): Promise<void> {
    const fresh = members.filter((member) => !rulesOf.has(member));
    for (const { sha256 } of fresh) {
      const prepared = loaded.has(sha256) ? undefined : accepted.get(sha256);
      if (prepared) loaded.set(sha256, loadPrepared(prepared));
    }
    const missing = [...new Set(fresh.map(({ sha256 }) => sha256))].filter((sha256) => !loaded.has(sha256));
    if (missing.length === 0) return;
    const sizes = await control.read((db) => readSizes(db, missing));
    const kinds = new Map(sizes.map(({ sha256, kind }) => [sha256, kind]));
    for (const chunk of chunks(sizes)) await loadChunk(chunk, kinds, members);
  }

  async function loadChunk(
    chunk: readonly string[],
    kinds: ReadonlyMap<string, RuleKind>,
    members: readonly SetMember[],
  ): Promise<void> {
    const had = await control.read((db) => readAdmitted(db, chunk, admissionId()));
    for (const [i, { sha256, ...admitted }] of had.entries()) {
      if (i % AT_ONCE === 0) await breathe();
      loaded.set(sha256, loadModule(admitted));
    }
    const others = chunk.filter((sha256) => !loaded.has(sha256));
    if (others.length === 0) return;
    const made: NewAdmitted[] = [];
    const contents = await control.read((db) => readContents(db, others));
    for (const [i, { sha256, bytes }] of contents.entries()) {
      if (i % AT_ONCE === 0) await breathe();
      try {
        if (kinds.get(sha256) === "json") loaded.set(sha256, loadJson(bytes));
        else {
          const admitted = admitAgain(bytes);
          loaded.set(sha256, loadModule(admitted));
          made.push({ sha256, admission: admissionId(), ...admitted });
        }
      } catch (error) {
        const { name, version } = members.find((member) => member.sha256 === sha256)!;
        throw new UserError(`Cannot run version ${version} of the rule "${name}": ${(error as Error).message}`);
      }
    }
    if (made.length > 0) await control.change((tx) => writeAdmitted(tx, made));
  }

  async function make(members: readonly SetMember[]): Promise<readonly LiveRule[]> {
    await loadMissing(members);
    const rules: LiveRule[] = [];
    let withValues = 0;
    for (const member of members) {
      let rule = rulesOf.get(member);
      if (rule === undefined) {
        if (member.parameters && ++withValues % AT_ONCE === 0) await breathe();
        rule = ruleOf(member);
        rulesOf.set(member, rule);
      }
      rules.push(rule);
    }
    return rules;
  }

  function ruleOf(member: SetMember): LiveRule {
    const { name, version, shadow, throttled } = member;
    const runnable = runnableOf(member);
    return {
      ...runnable,
      name,
      version,
      ...((shadow || runnable.silent) && { silent: true }),
      ...(shadow && { trial: true }),
      ...(throttled && { throttled }),
    };
  }

  function runnableOf(member: SetMember): Runnable {
    const { name, version, sha256, parameters = {} } = member;
    const made = runnables.get(keyOf(member));
    if (made) return made;
    const content = loaded.get(sha256);
    if (!content) throw new Error(`Cannot run the rule "${name}": its content ${sha256} is not in the control store`);
    try {
      const runnable = content.with(parameters);
      runnables.set(keyOf(member), runnable);
      return runnable;
    } catch (error) {
      throw new UserError(`Cannot run version ${version} of the rule "${name}" with its parameters: ${(error as Error).message}`); // biome-ignore format: one statement
    }
  }

  /** Sets that nobody asked for lately, and what they alone have: of most members a look at the next set is enough. */
  function forget(): void {
    for (const id of [...sets.keys()].slice(0, -KEPT)) {
      const { members } = sets.get(id)!;
      sets.delete(id);
      const kept = [...sets.values()];
      const gone = members.filter((member) => !kept.some(({ has }) => has.has(member)));
      const contents = new Set(gone.map(({ sha256 }) => sha256));
      const used = kept.flatMap((set) => set.members.filter(({ sha256 }) => contents.has(sha256)));
      const wanted = new Set(used.flatMap((member) => [member.sha256, keyOf(member)]));
      for (const member of gone) {
        if (!wanted.has(member.sha256)) loaded.delete(member.sha256);
        if (!wanted.has(keyOf(member))) runnables.delete(keyOf(member));
      }
    }
  }

  return {
    used: () => sets.size > 0,
    accepted(prepared) {
      if (sets.size > 0) accepted.set(prepared.sha256, prepared);
    },
    one: async (member) => (await make([member]))[0]!,
    async get(id, known) {
      const found = sets.get(id);
      if (found) return found.rules;
      const members = known ?? (await membersOf(id));
      const rules = make(members);
      sets.set(id, { rules, members, has: new Set(members) });
      try {
        await rules;
      } catch (error) {
        sets.delete(id);
        throw error;
      }
      accepted.clear();
      forget();
      return rules;
    },
  };
}

/** Of a content with values. */
const keyOf = ({ sha256, parameters }: SetMember): string =>
  parameters === undefined ? sha256 : `${sha256} ${textOfValues(parameters)}`;

/** So that what is read at a time has at most CHUNK_BYTES, or is one. */
function* chunks(sizes: readonly ContentSize[]): Iterable<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const { sha256, size } of sizes) {
    if (chunk.length > 0 && bytes + size > CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(sha256);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
