import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { follow } from '../api/event-stream.js';
import type { Alert } from '../api/types.js';
import { useStore } from '../lib/store.js';
import { AlertFeed, type FeedState } from './feed.js';

const ROWS_MAX = 5_000;
const PAGE = 200;
/** Often enough to look live; the list is laid out anew at most so often. */
const FLUSH_MS = 120;

export interface LiveAlerts extends FeedState {
  readonly loading: boolean;
  readonly error: Error | null;
  /** Null: not opened yet. */
  readonly open: boolean | null;
  readonly live: boolean;
  readonly setLive: (live: boolean) => void;
  readonly hold: (held: boolean) => void;
  readonly more: () => void;
  readonly reload: () => void;
}

/** The alerts of a filter: a first page, what comes, and older ones as they are asked for. */
export function useLiveAlerts(filter: api.AlertFilter): LiveAlerts {
  const [live, setLive] = useState(true);
  const [open, setOpen] = useState<boolean | null>(null);
  const [{ loading, error }, setAsked] = useState<{ loading: boolean; error: Error | null }>({
    loading: true,
    error: null,
  });
  const [round, setRound] = useState(0);
  const cursor = useRef<string | null>(null);
  const busy = useRef(false);
  const key = JSON.stringify(filter);
  // Another filter, or another try, is another list.
  const feed = useMemo(
    () =>
      new AlertFeed({
        rowsMax: ROWS_MAX,
        soon: (flush) => void setTimeout(() => requestAnimationFrame(flush), FLUSH_MS),
      }),
    [key, round],
  );
  const state = useStore(feed.state);

  // `key` stands for the filter.
  useEffect(() => {
    const gone = new AbortController();
    setAsked({ loading: true, error: null });
    cursor.current = null;
    api
      .alerts({ ...filter, limit: PAGE }, gone.signal)
      .then(({ items, nextCursor }) => {
        feed.append(items);
        cursor.current = nextCursor;
        setAsked({ loading: false, error: null });
      })
      .catch((problem: Error) => gone.signal.aborted || setAsked({ loading: false, error: problem }));
    return () => gone.abort();
  }, [feed]);

  // `key` stands for the filter.
  useEffect(() => {
    if (!live) return setOpen(null);
    return follow(api.alertsLive, {
      query: { ...filter },
      onState: setOpen,
      onEvent: ({ event, data }) => event === 'alert' && feed.add(JSON.parse(data) as Alert),
    });
  }, [feed, live]);

  const more = () => {
    if (cursor.current === null || busy.current) return;
    busy.current = true;
    api
      .alerts({ ...filter, limit: PAGE, cursor: cursor.current })
      .then(({ items, nextCursor }) => {
        feed.append(items);
        cursor.current = nextCursor;
      })
      .catch((problem: Error) => setAsked({ loading: false, error: problem }))
      .finally(() => {
        busy.current = false;
      });
  };
  return {
    ...{ ...state, loading, error, open, live, setLive, more },
    hold: (held) => feed.hold(held),
    reload: () => setRound((n) => n + 1),
  };
}
