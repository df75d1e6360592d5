import { useEffect } from 'preact/hooks';

/** Keys by what they do; letters alone count only where nobody types. `g a`: one after the other. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const SEQUENCE_MS = 900;
let before = { key: '', at: 0 };

/** The name of a key press: `mod+k`, `Escape`, `j`. */
export function pressed(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const mod = event.ctrlKey || event.metaKey ? 'mod+' : '';
  return `${mod}${event.altKey ? 'alt+' : ''}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}

/** Whether keys go to something that is written in. */
export function isTyping(event: Event): boolean {
  const target = event.composedPath()[0];
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

export function useShortcuts(shortcuts: Shortcuts): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = pressed(event);
      if (event.defaultPrevented || (!key.startsWith('mod+') && isTyping(event))) return;
      if (document.querySelector('dialog[open]') !== null && key !== 'mod+k') return;
      const sequence = event.timeStamp - before.at < SEQUENCE_MS ? `${before.key} ${key}` : '';
      const act = shortcuts[sequence] ?? shortcuts[key];
      // Several parts of the page listen; the first letter is theirs all.
      queueMicrotask(() => {
        before = { key: act === undefined ? key : '', at: event.timeStamp };
      });
      if (act === undefined) return;
      event.preventDefault();
      act(event);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [shortcuts]);
}
