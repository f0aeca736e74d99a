/**
 * State of rules in memory, lane by lane. What rules of the current set declare is here; what none does any more is let go once all that
 * was written to it is stored, and read again should a rule that declares it come back:
 *
 *     lane begins ──▶ state of its partition below `began` is read: what the rule set declares is kept
 *     a set without the rule ──▶ what it wrote is stored up to here ──▶ let go        a set with it again ──▶ read below that offset
 *
 * All of it together has a bound. At it the rules that take most are reported, to be taken out of the rule set: which keys a rule knows
 * must follow from the stream alone, so nothing can be refused or forgotten because memory is short. The bound is therefore soft: memory
 * grows on until the set without them is there, a second or so.
 */
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import { type StateName, type StoredState, stateKey } from "../sink/stateLog.ts";
import { type StateDeclaration, shapeOf } from "../state/declaration.ts";
import { applyChange, restoreTable, type StateChange, type StateTable } from "../state/stateTable.ts";
import { stateOwner } from "../worker/orderedStage.ts";
import type { Lane } from "./lane.ts";

export interface StateMemoryOptions {
  /** State of a lane's partition as it is stored below an offset; of one table alone. */
  readonly load: (source: string, lane: Lane, before: number, only?: StateName) => Promise<StoredState>;
  /** Bytes that all of it may take. */
  readonly most: number;
  /** A rule that takes more than others, while all take too much; told again whenever more is taken. */
  readonly onOver: (greedy: { readonly rule: string; readonly version: number; readonly reason: string }) => void;
  /** Bytes that the state of a rule takes now, with its trials', and that of all rules. */
  readonly onUse?: ((rule: string, bytes: number, total: number) => void) | undefined;
}

export interface StateMemory {
  /** The tables of a rule, as the lane's batches so far have left them. @param all rules with state of the rule set */
  tablesOf(source: string, lane: Lane, rule: LiveRule, all: Iterable<LiveRule>): Promise<readonly StateTable[]>;
  /** Puts in what a batch changed. @param to end of the batch */
  apply(lane: Lane, rule: LiveRule, changes: readonly (StateChange | undefined)[], to: number): void;
  /** Lets go what these rules do not declare, as far as it is stored. To be called after a batch of their set. */
  tidy(lane: Lane, all: Iterable<LiveRule>): void;
}

interface Kept {
  readonly table: StateTable;
  /** Whoever used it last. */
  rule: LiveRule;
  bytes: number;
  /** End of the last batch that wrote to it. */
  written: number;
}

interface LaneTables {
  /** By stateKey, as all here. */
  readonly kept: Map<string, Kept>;
  /** Declared by the rule set when the lane began, and nothing of it was stored. */
  readonly fresh: Set<string>;
  /** Let go when all below this offset was stored. */
  readonly gone: Map<string, number>;
  /** The rules of a set that nothing else is kept for. */
  tidied: Iterable<LiveRule> | undefined;
}

export function createStateMemory({ load, most, onOver, onUse }: StateMemoryOptions): StateMemory {
  const lanes = new Map<Lane, Promise<LaneTables>>();
  const opened = new Map<Lane, LaneTables>();
  const byRule = new Map<string, number>();
  let total = 0;

  async function open(source: string, lane: Lane, all: Iterable<LiveRule>): Promise<LaneTables> {
    const tables: LaneTables = { kept: new Map(), fresh: new Set(), gone: new Map(), tidied: all };
    const stored = await load(source, lane, lane.began);
    lane.given.signal.throwIfAborted();
    opened.set(lane, tables);
    for (const rule of all)
      for (const declaration of rule.manifest.state ?? []) {
        const key = keyOf(rule, declaration);
        const entries = stored.get(key);
        if (entries) keep(tables, key, rule, restoreTable(declaration, entries));
        else tables.fresh.add(key);
      }
    return tables;
  }

  function laneTables(source: string, lane: Lane, all: Iterable<LiveRule>): Promise<LaneTables> {
    const known = lanes.get(lane);
    if (known) return known;
    const opening = open(source, lane, all);
    lanes.set(lane, opening);
    lane.given.signal.addEventListener("abort", () => close(lane), { once: true });
    return opening;
  }

  function close(lane: Lane): void {
    for (const kept of opened.get(lane)?.kept.values() ?? []) use(kept, 0);
    opened.delete(lane);
    lanes.delete(lane);
  }

  function keep(tables: LaneTables, key: string, rule: LiveRule, table: StateTable): Kept {
    const kept = { table, rule, bytes: 0, written: 0 };
    tables.kept.set(key, kept);
    use(kept, bytesOf(table));
    return kept;
  }

  /** It takes so much now. */
  function use(kept: Kept, bytes: number): void {
    const more = bytes - kept.bytes;
    if (more === 0) return;
    const { name } = kept.rule;
    const sum = (byRule.get(name) ?? 0) + more;
    if (sum > 0) byRule.set(name, sum);
    else byRule.delete(name);
    kept.bytes = bytes;
    total += more;
    onUse?.(name, sum, total);
    if (more > 0 && total > most) reportGreediest();
  }

  /** As few as have to go. */
  function reportGreediest(): void {
    const owners = new Map<string, { rule: LiveRule; bytes: number }>();
    for (const { kept } of opened.values())
      for (const { rule, bytes } of kept.values()) {
        const owner = owners.get(ruleKey(rule));
        if (owner) owner.bytes += bytes;
        else owners.set(ruleKey(rule), { rule, bytes });
      }
    let rest = total;
    for (const { rule, bytes } of [...owners.values()].sort((a, b) => b.bytes - a.bytes)) {
      if (rest <= most) return;
      rest -= bytes;
      const reason = `Its state takes ${bytes} bytes of memory, that of all rules ${total}, expected at most WEIR_STATE_BYTES=${most}`;
      onOver({ rule: rule.name, version: rule.version, reason });
    }
  }

  async function tableOf(
    source: string,
    lane: Lane,
    tables: LaneTables,
    rule: LiveRule,
    declaration: StateDeclaration,
  ) {
    const key = keyOf(rule, declaration);
    let kept = tables.kept.get(key);
    if (kept === undefined) {
      const only = { ...stateOwner(rule), name: declaration.name, shape: shapeOf(declaration) };
      const before = tables.gone.get(key) ?? lane.began;
      const stored = tables.fresh.has(key) ? undefined : await load(source, lane, before, only);
      lane.given.signal.throwIfAborted();
      tables.tidied = undefined;
      kept = keep(tables, key, rule, restoreTable(declaration, stored?.get(key) ?? new Uint32Array(0)));
      tables.fresh.delete(key);
    }
    kept.rule = rule;
    return kept.table;
  }

  return {
    async tablesOf(source, lane, rule, all) {
      const tables = await laneTables(source, lane, all);
      const made: StateTable[] = [];
      for (const declaration of rule.manifest.state ?? [])
        made.push(await tableOf(source, lane, tables, rule, declaration));
      return made;
    },
    apply(lane, rule, changes, to) {
      const kept = opened.get(lane)?.kept;
      for (const [i, change] of changes.entries()) {
        const one = change && kept?.get(keyOf(rule, rule.manifest.state![i]!));
        if (!one) continue; // nothing was written, or the lane was given up
        applyChange(one.table, change);
        one.written = to;
        use(one, bytesOf(one.table));
      }
    },
    tidy(lane, all) {
      const tables = opened.get(lane);
      if (!tables || tables.tidied === all) return;
      let leaving = 0;
      const wanted = new Set([...all].flatMap((rule) => (rule.manifest.state ?? []).map((each) => keyOf(rule, each))));
      for (const [key, kept] of tables.kept) {
        if (wanted.has(key)) continue;
        if (kept.written > lane.storedTo) {
          leaving++;
          continue;
        }
        tables.kept.delete(key);
        tables.gone.set(key, lane.storedTo);
        use(kept, 0);
      }
      if (leaving === 0) tables.tidied = all;
    },
  };
}

const keyOf = (rule: LiveRule, declaration: StateDeclaration): string =>
  stateKey({ ...stateOwner(rule), name: declaration.name, shape: shapeOf(declaration) });

const bytesOf = ({ keys }: StateTable): number => keys.entries.byteLength + keys.slots.byteLength;
