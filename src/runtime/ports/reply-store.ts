export interface StoredReply {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** `begun`: it is ours to do. `busy`: someone does it. `other`: another request had the same key. */
export type ReplyState = 'begun' | 'busy' | 'other' | StoredReply;

/** What requests with an idempotency key were answered. All methods may reject when the store is away. */
export interface ReplyStore {
  open(): Promise<void>;
  /** `digest`: of what was sent. What was begun before `staleBefore` and never ended is begun anew. */
  begin(key: string, digest: string, now: number, staleBefore: number): Promise<ReplyState>;
  end(key: string, reply: StoredReply): Promise<void>;
  /** It failed, and may be tried again. */
  forget(key: string): Promise<void>;
  prune(before: number): Promise<void>;
}
