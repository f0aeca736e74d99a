/** A map that forgets what was put in first once it is full. */
export function createKnown<V>(most: number) {
  const map = new Map<string, V>();
  return {
    get: (key: string): V | undefined => map.get(key),
    values: () => map.values(),
    set(key: string, value: V): void {
      map.set(key, value);
      if (map.size > most) map.delete(map.keys().next().value!);
    },
  };
}
