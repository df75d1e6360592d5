import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { follow } from '../api/event-stream.js';
import type { Backtest } from '../api/types.js';

/** A back-test as it goes on, until it has ended. */
export function useBacktest(id: string): { readonly job: Backtest | null; readonly error: Error | null } {
  const [job, setJob] = useState<Backtest | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    let stop = () => {};
    const gone = new AbortController();
    api
      .backtest(id, gone.signal)
      .then((now) => {
        setJob(now);
        if (now.endedAt !== null || gone.signal.aborted) return;
        stop = follow(api.backtestEvents(id), {
          once: true,
          onEvent: ({ event, data }) => event === 'job' && setJob(JSON.parse(data) as Backtest),
        });
      })
      .catch((problem: Error) => gone.signal.aborted || setError(problem));
    return () => {
      gone.abort();
      stop();
    };
  }, [id]);
  return { job, error };
}
