export function runnable(entry: string): Promise<string[]>;
