/** By which brokers know a producer, and refuse one that has been replaced. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
}

/** Under which a producer writes transactions. */
export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string;
}
