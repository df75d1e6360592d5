import { useMemo, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Pattern } from '../api/types.js';
import { useResource } from '../lib/hooks.js';
import { go, to } from '../lib/router.js';
import { Dialog } from '../parts/dialog.js';
import { DESTINATIONS } from './navigation.js';
import { toggleTheme } from './theme.js';

interface Command {
  readonly name: string;
  readonly kind: string;
  readonly act: () => void;
}

const ALERT_ID = /^[0-9a-f]{32}$/;

function commandsOf(patterns: readonly Pattern[], text: string): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all: Command[] = [
    ...DESTINATIONS.map(({ name, path }) => ({ name, kind: 'page', act: () => go(to(path)) })),
    { name: 'New pattern', kind: 'command', act: () => go(to(['patterns', 'new'])) },
    { name: 'New back-test', kind: 'command', act: () => go(to(['backtests'], { new: 'yes' })) },
    { name: 'Snoozed keys', kind: 'page', act: () => go(to(['snoozes'])) },
    { name: 'Dark or light theme', kind: 'command', act: toggleTheme },
    ...patterns.map(({ id, title }) => ({
      name: `${title} (${id})`,
      kind: 'pattern',
      act: () => go(to(['patterns', id])),
    })),
  ];
  const found = all.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const key = text.trim();
  if (ALERT_ID.test(key)) found.unshift({ name: `Alert ${key}`, kind: 'alert', act: () => go(to(['alerts', key])) });
  if (key !== '') {
    found.push({ name: `Alerts of the key ${key}`, kind: 'search', act: () => go(to(['alerts'], { key })) });
    found.push({ name: `Why was there no alert for ${key}?`, kind: 'search', act: () => go(to(['explain'], { key })) });
  }
  return found;
}

export function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const patterns = useResource((signal) => api.patterns(signal), []);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const commands = useMemo(() => commandsOf(patterns.data ?? [], text), [patterns.data, text]);
  const at = Math.min(chosen, commands.length - 1);
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.act();
  };
  const press = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by !== 0) {
      const next = (at + by + commands.length) % commands.length;
      setChosen(next);
      document.getElementById(`command-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') run(commands[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label="Find" name="palette" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-label="Find an alert, key, pattern or command"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={at < 0 ? undefined : `command-${at}`}
        placeholder="Type a page, a pattern, a key, the id of an alert"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={press}
      />
      <div id="commands" role="listbox" aria-label="Found">
        {commands.map((command, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the box above.
          <div
            key={command.name}
            id={`command-${n}`}
            role="option"
            aria-selected={n === at}
            tabIndex={-1}
            onClick={() => run(command)}
          >
            <span class="cut">{command.name}</span> <span class="faint">{command.kind}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
