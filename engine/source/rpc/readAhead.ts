/** Reads a few blocks beyond the one that is asked for: a node answers several calls in the time of one. */
export interface ReadAhead<Block> {
  /** The block at `number`, and reading goes on up to `last`. @throws what reading it threw */
  take(number: number, last: number): Promise<Block>;
  /** Forgets what was read ahead: the chain has changed. */
  drop(): void;
}

/** @param width blocks under way at a time */
export function createReadAhead<Block>(read: (number: number) => Promise<Block>, width: number): ReadAhead<Block> {
  let under = new Map<number, Promise<Block>>();
  return {
    async take(number, last) {
      for (let each = number; each < number + width && (each === number || each <= last); each++) {
        if (under.has(each)) continue;
        const reading = read(each);
        reading.catch(() => undefined); // it is thrown when it is taken
        under.set(each, reading);
      }
      const taken = under.get(number)!;
      under.delete(number);
      try {
        return await taken;
      } catch (error) {
        under = new Map(); // those ahead may have failed with it, long before they are asked for
        throw error;
      }
    },
    drop: () => void (under = new Map()),
  };
}
