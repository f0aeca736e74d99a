/** The state of one rule in one thread that runs its batches in order: for commands that try rules. Streams have each their own. */
import type { StateDeclaration } from "./declaration.ts";
import { createStateSession, type Shown, type StateSession } from "./session.ts";
import { applyChange, createStateTable, type StateTable } from "./stateTable.ts";

export interface LocalState {
  /** The stream's next batch begins. */
  open(stream: string, shown: Shown): StateSession;
  /** It has ended: the next one finds what it wrote. */
  close(): void;
}

/** @param past tables that every stream begins with; default: empty ones */
export function createLocalState(
  declarations: readonly StateDeclaration[],
  past: () => StateTable[] = () => declarations.map(createStateTable),
): LocalState {
  const session = createStateSession(declarations);
  const streams = new Map<string, StateTable[]>();
  let current: StateTable[] = [];
  return {
    open(stream, shown) {
      current = streams.get(stream) ?? past();
      streams.set(stream, current);
      session.open(current, shown);
      return session;
    },
    close() {
      for (const [i, change] of session.close().entries()) if (change) applyChange(current[i]!, change);
    },
  };
}
