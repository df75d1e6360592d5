/** One thing that is wrong with a transaction that was sent in. `got` is for whoever sent it, not for a log. */
export interface IngestProblem {
  /** `amount`, `card.country`; empty for the transaction itself. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

export interface EncodedTransaction {
  /** The stream's own id of the transaction; `null` where the stream has no id field. */
  readonly id: string | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
}

/** Makes records of what `POST /v1/transactions` gets. */
export interface TransactionIngest {
  /** The topic that they go to. */
  readonly topic: string;
  /** Called before encoding: what must be known first (a schema's id). Throws when it cannot be had now; called again then. */
  prepare(): Promise<void>;
  /** Never throws for wrong input. */
  encode(
    input: unknown,
  ):
    | { readonly ok: true; readonly transaction: EncodedTransaction }
    | { readonly ok: false; readonly problems: readonly IngestProblem[] };
}
