import { useEffect, useState } from 'preact/hooks';

/** A value that parts of the page share. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const listener of this.listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.value);
  useEffect(() => {
    const changed = () => setValue(() => store.value);
    changed();
    return store.subscribe(changed);
  }, [store]);
  return value;
}

/** A choice that the browser remembers. */
export class Remembered extends Store<string> {
  constructor(
    private readonly name: string,
    fallback: string,
  ) {
    super(localStorage.getItem(`stakeout.${name}`) ?? fallback);
  }

  override set(value: string): void {
    localStorage.setItem(`stakeout.${this.name}`, value);
    super.set(value);
  }
}
