import type { LogProducer, OutgoingRecord } from '../../ports/log.js';

/**
 * What a lane gives out: collected while a batch is processed, sent right after it, and counted until it is durable.
 *
 * Invariants
 * 1. Records leave in the order in which they were added.
 * 2. `settled()` covers all that was added before the call. Once a send has failed it throws: what was not written must
 *    not be committed.
 */
export class Outbox {
  private pending: { readonly record: OutgoingRecord; readonly onDurable?: () => void }[] = [];
  private readonly inFlight = new Set<Promise<void>>();
  private unacknowledged = 0;
  private failure: Error | null = null;

  constructor(
    private readonly producer: LogProducer,
    /** A send failed for good; the lane cannot go on. */
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** Records that are not durable yet. */
  get size(): number {
    return this.unacknowledged;
  }

  add(record: OutgoingRecord, onDurable?: () => void): void {
    this.unacknowledged++;
    this.pending.push(onDurable === undefined ? { record } : { record, onDurable });
  }

  /** Sends what was added. */
  flush(): void {
    if (this.pending.length === 0) return;
    const sent = this.pending;
    this.pending = [];
    const done = this.producer.send(sent.map((p) => p.record)).then(
      () => {
        this.unacknowledged -= sent.length;
        for (const p of sent) p.onDurable?.();
      },
      (error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
        this.onFailure(this.failure);
      },
    );
    this.inFlight.add(done);
    void done.finally(() => this.inFlight.delete(done));
  }

  /** Resolves when everything added so far is durable. Throws when a send has failed. */
  async settled(): Promise<void> {
    this.flush();
    await Promise.all(this.inFlight);
    if (this.failure !== null) throw this.failure;
  }
}
