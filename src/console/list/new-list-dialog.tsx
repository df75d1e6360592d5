import { useState } from 'preact/hooks';
import { makeList } from '../api/list-calls.js';
import { go, to } from '../lib/router.js';
import { Trouble } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { Sign, signed } from '../parts/sign.js';

/** A list that the settings do not name. */
export function NewListDialog({ onClose }: { readonly onClose: () => void }) {
  const [message, setMessage] = useState('');
  const [kind, setKind] = useState<'set' | 'map'>('set');
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name') ?? '');
    setState('busy');
    try {
      await makeList(name, kind, signed(message));
      go(to(['lists', name]));
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Dialog label="New list" onClose={onClose}>
      <form class="dialog-body" onSubmit={make}>
        <h2>New list</h2>
        <label class="field">
          Name, as rules ask it
          <input
            class="input mono"
            name="name"
            required
            autofocus
            autocomplete="off"
            pattern="[A-Za-z][A-Za-z0-9_\-]*"
            title="Begins with a letter and has letters, digits, _ and -"
          />
        </label>
        <fieldset class="choice">
          <legend class="unseen">Kind</legend>
          {(['set', 'map'] as const).map((of) => (
            <label key={of}>
              <input type="radio" name="kind" checked={kind === of} onChange={() => setKind(of)} />
              <span>{of === 'set' ? 'entries' : 'keys with values'}</span>
            </label>
          ))}
        </fieldset>
        <p class="faint">
          <code>{kind === 'set' ? "key in list('name')" : "list('name', key)"}</code> in a condition.
        </p>
        <Sign message={message} onMessage={setMessage} why="Why (kept with the list)" />
        {state instanceof Error && <Trouble error={state} />}
        <div class="foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button main-action" disabled={state === 'busy'}>
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
