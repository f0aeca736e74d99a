import type { Keeper } from "../sandbox/instancePool.ts";

type Kept = Parameters<Keeper["used"]>[0];

/**
 * Which memories of sandboxes are kept between batches. V8 gives a process so many live memories and no more, so beyond the
 * budget one is made for a batch and let go after it (65 µs). Rules are run in the same order in every batch: a cache that drops the
 * least recently used would drop each one just before its turn (measured: 91 µs an event); here those that are in stay in,
 * and one that has not been run for a while gives its place up. A thread has one such budget, whatever rule sets it runs.
 */
export interface Residents extends Keeper {
  /** A batch begins. */
  begin(): void;
}

/** Batches without a run after which a place may be taken … */
const IDLE_BATCHES = 64;
/** … and after which it is given up: the rule may be of a set that is gone. */
const GONE_BATCHES = 4_096;
/** Places that are looked at when one is wanted, and with each batch: a hand goes round all of them. */
const LOOK = 16;

interface Place {
  kept: Kept;
  /** The batch it last ran in. */
  ran: number;
}

/** @param budget memories to keep at most */
export function createResidents(budget: number): Residents {
  const places: Place[] = [];
  const known = new Map<Kept, Place>();
  let batch = 0;
  let hand = 0;

  /** The next place that has not been run in for so long. */
  function unused(batches: number): Place | undefined {
    for (let looks = Math.min(LOOK, places.length); looks > 0; looks--) {
      hand = (hand + 1) % places.length;
      if (batch - places[hand]!.ran >= batches) return places[hand]!;
    }
    return undefined;
  }

  function letGo({ kept }: Place): void {
    kept.release();
    known.delete(kept);
  }

  return {
    begin() {
      batch++;
      const gone = unused(GONE_BATCHES);
      if (gone === undefined) return;
      letGo(gone);
      places[hand] = places.at(-1)!;
      places.pop();
    },
    used(kept) {
      let place = known.get(kept);
      if (place === undefined) {
        if (places.length < budget) {
          place = { kept, ran: batch };
          places.push(place);
        } else {
          place = unused(IDLE_BATCHES);
          if (place === undefined) return kept.release();
          letGo(place);
          place.kept = kept;
        }
        known.set(kept, place);
      }
      place.ran = batch;
    },
  };
}
