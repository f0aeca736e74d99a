/** Labels with an end: rules, owners and routes are named by users, and each name is a series for as long as the process lives. */
import { LABELS, type Label } from "./metricsTable.ts";

type Values = Partial<Record<Label, string | number>>;
type Method = (labels?: Values | number, value?: number) => void;

/**
 * @returns what keeps a metric to the values of labels that came first, `LABELS` of each, all metrics together: counters and histograms have what
 *   comes after as `other`; a gauge has no series of it, since the last one's value would stand for all
 */
export function createBounds() {
  const known = new Map<Label, Set<string | number>>();

  function isKnown(label: Label, value: string | number): boolean {
    let values = known.get(label);
    if (!values) known.set(label, (values = new Set()));
    if (values.has(value)) return true;
    if (values.size >= LABELS[label]) return false;
    values.add(value);
    return true;
  }

  /** The same object where nothing is over: that is nearly always. */
  function bounded(labels: Values): Values {
    let changed = labels;
    for (const label in labels)
      if (!isKnown(label as Label, labels[label as Label]!)) changed = { ...changed, [label]: "other" };
    return changed;
  }

  return <M extends object>(metric: M, name: "inc" | "set" | "observe"): M => {
    const method = ((metric as Record<string, unknown>)[name] as Method).bind(metric);
    const within: Method = (labels, value) => {
      if (typeof labels !== "object") return method(labels, value);
      const kept = bounded(labels);
      if (kept === labels || name !== "set") method(kept, value);
    };
    return Object.assign(metric, { [name]: within });
  };
}
