import { Store, useStore } from '../lib/store.js';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'critical' | 'high' | '';
}

const toasts = new Store<readonly Toast[]>([]);
const SHOWN_MS = 6_000;
let last = 0;

/** Says what was done, for a while. */
export function say(text: string, tone: Toast['tone'] = 'good'): void {
  const id = ++last;
  toasts.set([...toasts.value, { id, text, tone }]);
  setTimeout(() => toasts.set(toasts.value.filter((toast) => toast.id !== id)), SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {useStore(toasts).map(({ id, text, tone }) => (
        <div key={id} class={`note ${tone}`}>
          {text}
        </div>
      ))}
    </div>
  );
}
