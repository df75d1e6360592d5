/**
 * Leaves out what aborted transactions wrote, and the markers that end transactions.
 *
 * The broker names, with each fetch, the aborted transactions that touch what it sends: producer and first offset.
 *
 * 1. A producer is aborted from its transaction's first offset until its abort marker has been read, however many fetches lie between.
 * 2. One producer may abort several transactions in one fetch: each begins only when its first offset is reached.
 * 3. Records outside transactions are never left out, whatever their producer id.
 */

/** What the filter needs of a batch; numbers as they come from the wire. */
export interface BatchHead {
  readonly producerId: bigint;
  readonly lastOffset: number;
  readonly transactional: boolean;
  /** The marker that ends a transaction, or `null` for a batch of data. */
  readonly marker: 'commit' | 'abort' | 'other' | null;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export class AbortedFilter {
  readonly #aborted = new Set<bigint>();
  #pending: AbortedTransaction[] = [];

  /** Before the batches of a fetch are shown: the aborted transactions that came with it, in any order. */
  announce(transactions: readonly AbortedTransaction[] | null): void {
    const order = (a: AbortedTransaction, b: AbortedTransaction) => (a.firstOffset < b.firstOffset ? -1 : 1);
    this.#pending = transactions === null ? [] : [...transactions].sort(order);
  }

  /** Batches in order of offset. True: its records are to be seen. */
  admits(batch: BatchHead): boolean {
    this.#beginUpTo(batch.lastOffset);
    if (batch.marker !== null) {
      if (batch.marker === 'abort') this.#aborted.delete(batch.producerId);
      return false;
    }
    return !(batch.transactional && this.#aborted.has(batch.producerId));
  }

  /** Reading goes on somewhere else. */
  reset(): void {
    this.#aborted.clear();
    this.#pending = [];
  }

  #beginUpTo(offset: number): void {
    let begun = 0;
    for (const { firstOffset, producerId } of this.#pending) {
      if (firstOffset > offset) break;
      this.#aborted.add(producerId);
      begun++;
    }
    if (begun > 0) this.#pending.splice(0, begun);
  }
}
