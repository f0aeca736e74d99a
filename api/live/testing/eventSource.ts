/** For tests: reads a stream of server-sent events as an EventSource does, and shows what it got. */
export interface Received {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export async function openEventSource(url: string, lastEventId?: string) {
  const stop = new AbortController();
  const response = await fetch(url, {
    signal: stop.signal,
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  /** Of what was read, and of what the test has taken of it. */
  let id = lastEventId ?? "";
  let taken = id;
  let rest = "";
  const received: (Received & { readonly id: string })[] = [];

  function takeOut(count: number): Received[] {
    const some = received.splice(0, count);
    taken = some.at(-1)?.id ?? taken;
    return some.map(({ event, data }) => ({ event, data }));
  }

  /** Reads on. @returns false at the end of the stream */
  async function more(): Promise<boolean> {
    const { done, value } = await reader.read();
    if (done) return false;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) take(block);
    return true;
  }

  function take(block: string): void {
    const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)])); // biome-ignore format: one line
    id = fields.get("id") ?? id; // also of what has no data, which is no event
    const data = fields.get("data");
    if (data !== undefined)
      received.push({ id, event: fields.get("event")!, data: JSON.parse(data) as Received["data"] });
    else if (received.length === 0) taken = id;
  }

  return {
    status: response.status,
    headers: response.headers,
    /** Where to go on behind the last event that was taken. */
    get id() {
      return taken;
    },
    /** The next events, so many. @throws when the stream ends before */
    async next(count: number): Promise<Received[]> {
      while (received.length < count)
        if (!(await more())) throw new Error(`The stream ended after ${received.length} of ${count} events`);
      return takeOut(count);
    },
    /** Until it has an id: from then on it misses nothing. */
    async opened(): Promise<void> {
      while (id === "" && (await more()));
    },
    /** Until the stream ends. @returns what came since the last `next` */
    async ended(): Promise<Received[]> {
      while (await more());
      return takeOut(received.length);
    },
    close: () => stop.abort(),
  };
}
