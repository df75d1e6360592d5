export type BenchErrorCode = 'UNKNOWN_STREAM' | 'UNKNOWN_WORKLOAD' | 'BAD_RULES' | 'WORKER_FAILED' | 'UNKNOWN_PEER';

/** What can go wrong with a benchmark for reasons that a person can mend. */
export class BenchError extends Error {
  constructor(
    readonly code: BenchErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
