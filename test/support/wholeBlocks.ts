/** How many lines there are up to the end of the first block behind so many where no block is open: none waits for the rest of one. */
export function wholeBlocks(lines: readonly Buffer[], least: number): number {
  const open = new Map<string, number>();
  for (const [i, line] of lines.entries()) {
    const { blockHash, block } = JSON.parse(line.toString()) as { blockHash?: string; block?: { transactionCount: string } }; // biome-ignore format: one line
    if (!blockHash) continue;
    const left = (open.get(blockHash) ?? Number(block!.transactionCount)) - 1;
    if (left > 0) open.set(blockHash, left);
    else open.delete(blockHash);
    if (open.size === 0 && i >= least) return i + 1;
  }
  throw new Error(`There are fewer than ${least} lines`);
}
