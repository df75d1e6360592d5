/** Wall-clock time and timers, injected so that the runtime can be simulated. Event time never comes from here. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `ms`; returns a function that cancels. */
  schedule(ms: number, callback: () => void): () => void;
}
