import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** What was asked for, as far as it is known. */
export interface Resource<T> {
  /** The last answer, kept while the next is on its way and when it fails. */
  readonly data: T | null;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * Asks when it is first shown and when `on` changes; with `everyMs`, again and again while the page can be seen. Another `on` forgets
 * the answer of before.
 */
export function useResource<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  on: readonly unknown[],
  everyMs = 0,
): Resource<T> {
  const [state, setState] = useState<{ data: T | null; error: Error | null; loading: boolean }>({
    ...{ data: null, error: null, loading: true },
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const key = JSON.stringify(on);
  const askedFor = useRef(key);
  // `round` asks again.
  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const other = askedFor.current !== key;
    askedFor.current = key;
    setState(({ data }) => ({ data: other ? null : data, error: null, loading: true }));
    const run = async () => {
      try {
        const data = await latest.current(gone.signal);
        if (!gone.signal.aborted) setState({ data, error: null, loading: false });
      } catch (error) {
        if (!gone.signal.aborted) setState(({ data }) => ({ data, error: error as Error, loading: false }));
      }
      if (everyMs > 0 && !gone.signal.aborted) timer = setTimeout(whenSeen, everyMs);
    };
    const whenSeen = () => {
      if (!document.hidden) void run();
      else document.addEventListener('visibilitychange', whenSeen, { once: true, signal: gone.signal });
    };
    void run();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  return { ...state, reload };
}

/** The time, again every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setMatches(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, [query]);
  return matches;
}

/** Width and height of an element, in CSS pixels. */
export function useSize<E extends Element>(): [(element: E | null) => void, { width: number; height: number }] {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const observer = useRef<ResizeObserver | null>(null);
  const attach = useCallback((element: E | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    });
    observer.current.observe(element);
  }, []);
  return [attach, size];
}

/** A value that has not changed for a while. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

export function useTitle(title: string): void {
  useLayoutEffect(() => {
    document.title = title === '' ? 'stakeout' : `${title} · stakeout`;
  }, [title]);
}
