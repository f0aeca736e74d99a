/**
 * What works and what does not, as its parts say. Parts with a `check` are asked when someone asks us; the others report
 * a change with `set`. Nothing is remembered: what works again is healthy again.
 */
import { messageOf } from "./errors.ts";

export interface ComponentState {
  readonly up: boolean;
  /** why it is not up, or what it does; without credentials */
  readonly reason?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Component {
  readonly name: string;
  /** Not ready without it; default true. What is optional shows in /health only. */
  readonly required?: boolean;
  /** Asked at most once at a time, and not waited for longer than `timeoutMs`. */
  readonly check?: () => Promise<ComponentState>;
  /** Before the first `set`; default down, "has not reported yet". */
  readonly state?: ComponentState;
}

export interface HealthReport {
  readonly healthy: boolean;
  readonly components: Readonly<Record<string, ComponentState & { readonly required: boolean }>>;
  /** `name: reason` of each required part that is down */
  readonly reasons: readonly string[];
}

export interface Health {
  register(component: Component): { set(state: ComponentState): void; remove(): void };
  report(): Promise<HealthReport>;
}

interface Entry {
  readonly component: Component;
  state: ComponentState;
  running?: Promise<ComponentState>;
}

export function createHealth({ timeoutMs = 2_000 }: { timeoutMs?: number } = {}): Health {
  const entries = new Map<string, Entry>();

  async function stateOf(entry: Entry): Promise<ComponentState> {
    const { check } = entry.component;
    if (!check) return entry.state;
    entry.running ??= check()
      .catch(
        (error: unknown): ComponentState => ({
          up: false,
          reason: messageOf(error),
        }),
      )
      .finally(() => delete entry.running);
    return within(entry.running, timeoutMs);
  }

  return {
    register(component) {
      if (entries.has(component.name))
        throw new Error(`Cannot register "${component.name}": there is a component of that name`);
      const entry: Entry = { component, state: component.state ?? { up: false, reason: "has not reported yet" } };
      entries.set(component.name, entry);
      return {
        set: (state) => void (entry.state = state),
        remove: () => void entries.delete(component.name),
      };
    },
    async report() {
      const states = await Promise.all(
        [...entries.values()].map(async (entry) => {
          const state = await stateOf(entry);
          return [entry.component.name, { ...state, required: entry.component.required ?? true }] as const;
        }),
      );
      const down = states.filter(([, state]) => state.required && !state.up);
      return {
        healthy: down.length === 0,
        components: Object.fromEntries(states),
        reasons: down.map(([name, { reason }]) => `${name}: ${reason ?? "down"}`),
      };
    },
  };
}

async function within(state: Promise<ComponentState>, timeoutMs: number): Promise<ComponentState> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ComponentState>((resolve) => {
    timer = setTimeout(() => resolve({ up: false, reason: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  return Promise.race([state, late]).finally(() => clearTimeout(timer));
}
