import { Fragment } from 'preact';
import { Dialog } from '../parts/dialog.js';
import { DESTINATIONS } from './navigation.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl K  or  /', 'find an alert, a key, a pattern, a command'],
  ...DESTINATIONS.map(({ letter, name }) => [`g ${letter}`, `go to ${name}`] as const),
  ['t', 'dark or light'],
  ['j  k', 'next, previous row of a list'],
  ['Enter', 'open it'],
  ['p', 'alerts: pause, go on'],
  ['f', 'alerts: look for words'],
  ['Escape', 'close, or back'],
  ['Ctrl S', 'editor: publish'],
  ['Ctrl Enter', 'editor: run the tests'],
  ['Escape, then Tab', 'editor: leave it'],
];

export function ShortcutHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog label="Shortcuts" onClose={onClose}>
      <div class="dialog-body">
        <h2>Shortcuts</h2>
        <dl class="facts">
          {KEYS.map(([keys, what]) => (
            <Fragment key={keys}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{what}</dd>
            </Fragment>
          ))}
        </dl>
        <div class="foot">
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
