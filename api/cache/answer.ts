/** An answer that is kept, and where such are. */
export interface Answer {
  /** Of what was stored when it was made (versions.ts): an answer of another version is none. */
  readonly version: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it is sent: text would be encoded for each request anew. */
  readonly body: Buffer<ArrayBuffer>;
}

/** Never rejects: what cannot be read is not there, and what cannot be written is not kept. */
export interface AnswerStore {
  get(key: string): Promise<Answer | undefined>;
  put(key: string, answer: Answer, ttlMs: number): Promise<void>;
}
