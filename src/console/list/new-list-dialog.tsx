import { useState } from 'preact/hooks';
import { makeList } from '../api/list-calls.js';
import { go, to } from '../lib/router.js';
import { type SignedAct, SignedDialog } from '../parts/signed-dialog.js';

/** A list that the settings do not name. */
export function NewListDialog({ onClose }: { readonly onClose: () => void }) {
  const [kind, setKind] = useState<'set' | 'map'>('set');
  const make: SignedAct = async (by, form) => {
    const name = String(form.get('name') ?? '');
    await makeList(name, kind, by);
    go(to(['lists', name]));
  };
  return (
    <SignedDialog title="New list" why="Why (kept with the list)" action="Make it" onClose={onClose} act={make}>
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
    </SignedDialog>
  );
}
