/** Chains that fell silent (engine/lookout/), as alerts that channels are told of. */
import { gt, isNull, or, sql } from "../../engine/control/drizzle.ts";
import type { Control } from "../../engine/control/open.ts";
import { silences } from "../../engine/control/schema.ts";
import { SILENCE_RULE, silenceId } from "../../engine/lookout/deadMansSwitch.ts";
import { describeSilence, type SilenceLimits } from "../../engine/lookout/silence.ts";
import type { AlertFacts } from "./message.ts";

export interface SilenceAlert {
  readonly alert: AlertFacts;
  readonly raisedAt: Date;
  /** It was heard again. */
  readonly isOver: boolean;
}

/** @returns those that go on, and those that ended in the last day. Rejects with ControlUnavailable */
export function createSilenceReader(control: Control, limits: SilenceLimits): () => Promise<SilenceAlert[]> {
  return async () => {
    const rows = await control.read((db) =>
      db
        .select()
        .from(silences)
        .where(or(isNull(silences.recoveredAt), gt(silences.recoveredAt, sql`now() - interval '1 day'`))),
    );
    return rows.map(({ chainId, source, channel, since, raisedAt, recoveredAt }) => {
      const silent = { chainId, source, channel, lastAt: since };
      return {
        ...{ raisedAt, isOver: recoveredAt !== null },
        alert: {
          ...{ id: silenceId(silent), rule: SILENCE_RULE, rule_version: 1, severity: "critical" },
          ...{
            chain_id: String(chainId),
            message: describeSilence(silent, limits),
            detected_at: raisedAt.toISOString(),
          },
          ...{ tx_hash: null, block_number: null, block_hash: null, from_address: null, to_address: null },
          correlation_id: null,
        },
      };
    });
  };
}
