/** What a scenario is and what it says: the contract's output, one JSON line a scenario. */

import type { Chart } from "./chart.ts";

export interface Scenario {
  readonly name: string;
  run(context: Context): Promise<Measured>;
}

export interface Context {
  /** How often each figure is measured. */
  readonly runs: number;
  /** Less load, so that a run takes seconds. */
  readonly quick: boolean;
  /** Only the cases whose name has this in it. */
  readonly only: string;
  /** Of a soak. */
  readonly minutes: number;
  /** What this run has measured already, by scenario. */
  readonly known?: ReadonlyMap<string, Measured>;
  /** One line of progress, on stderr. */
  say(text: string): void;
}

export interface Measured {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  /** What was left out, and why. */
  readonly notes?: readonly string[];
  /** For the report. */
  readonly charts?: readonly Chart[];
}

/** A count that has to be right: a fast wrong answer fails. */
export interface Check {
  readonly name: string;
  readonly expected: number;
  readonly got: number;
}

/** What was measured, over all runs. `goal` and `met` are null where nothing was promised. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly goal: number | null;
  readonly met: boolean | null;
  /** Of what: size of a record, matches or alerts of a transaction. */
  readonly load?: string;
}

export interface ScenarioResult extends Measured {
  readonly scenario: string;
  /** All checks are right. A slow figure does not make it false. */
  readonly ok: boolean;
  readonly machine: Machine;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly os: string;
  /** Load average of a minute when it began: what else ran here. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
}
