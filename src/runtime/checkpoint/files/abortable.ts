import type { Clock } from '../../ports/clock.js';
import type { ObjectStore } from '../../ports/object-store.js';

/** It took longer than it may. */
export class CheckpointTimeoutError extends Error {
  readonly code = 'CHECKPOINT_TIMEOUT';
}

/** The partition was given up meanwhile. */
export class CheckpointStoppedError extends Error {
  readonly code = 'CHECKPOINT_STOPPED';
}

/** What reading checkpoints needs of an object store. */
export type ObjectReader = Pick<ObjectStore, 'get' | 'list'>;

/** An object store that answers at once when `signal` aborts, even where the real one never does. */
export function abortable(objects: ObjectStore, signal: AbortSignal): ObjectStore {
  const until = async <T>(act: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason as Error);
    });
    signal.addEventListener('abort', stop);
    try {
      return await Promise.race([act(), aborted]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
  return {
    put: (name, bytes) => until(() => objects.put(name, bytes, signal)),
    get: (name) => until(() => objects.get(name, signal)),
    list: (prefix) => until(() => objects.list(prefix, signal)),
    delete: (name) => until(() => objects.delete(name, signal)),
    close: async () => undefined,
  };
}

/** Does something that is given up after `ms`, or when `stopped` aborts. */
export async function limited<T>(
  clock: Clock,
  ms: number,
  stopped: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = clock.schedule(ms, () =>
    late.abort(new CheckpointTimeoutError(`given up after ${ms} ms (checkpoint.timeout)`)),
  );
  try {
    return await act(AbortSignal.any([late.signal, stopped]));
  } finally {
    cancel();
  }
}
