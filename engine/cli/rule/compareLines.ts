/** Lines that only one side has, as often as it has them more. Dropped ones first. */
export function compareLines(before: readonly string[], after: readonly string[]): { sign: "+" | "-"; line: string }[] {
  const only = (here: readonly string[], there: readonly string[]): string[] => {
    const counts = new Map<string, number>();
    for (const line of there) counts.set(line, (counts.get(line) ?? 0) + 1);
    return here.filter((line) => {
      const left = counts.get(line) ?? 0;
      counts.set(line, left - 1);
      return left <= 0;
    });
  };
  return [
    ...only(before, after).map((line) => ({ sign: "-" as const, line })),
    ...only(after, before).map((line) => ({ sign: "+" as const, line })),
  ];
}
