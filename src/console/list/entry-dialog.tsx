import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { changeList, type ListChange } from '../api/list-calls.js';
import type { ReferenceList } from '../api/types.js';
import { Trouble } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { Sign, signed } from '../parts/sign.js';
import type { Changed } from './places.js';
import { inForce } from './taken-over.js';

interface EntryDialogProps {
  readonly list: ReferenceList;
  /** The entry to take away; null: one is to be put. */
  readonly entry: string | null;
  readonly onClose: () => void;
  readonly onChanged: (changed: Changed) => void;
}

/** Puts an entry, or takes one away: who, and why. */
export function EntryDialog({ list, entry, onClose, onChanged }: EntryDialogProps) {
  const [message, setMessage] = useState('');
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const isMap = list.kind === 'map';
  const title = entry === null ? `Add to ${list.name}` : `Remove ${entry} from ${list.name}`;
  const act = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const key = String(form.get('key') ?? '').trim();
    setState('busy');
    try {
      const before = inForce(await api.status());
      const put = isMap ? { [key]: String(form.get('value') ?? '') } : [key];
      const change: ListChange = entry === null ? { put } : { remove: [entry] };
      const now = await changeList(list.name, change, signed(message));
      onChanged({ list: now, said: entry === null ? `${key} is in ${list.name}.` : `${entry} is gone.`, before });
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <form class="dialog-body" onSubmit={act}>
        <h2>{title}</h2>
        {entry === null && (
          <label class="field">
            {isMap ? 'Key' : 'Entry'}
            <input class="input mono" name="key" required autofocus autocomplete="off" />
          </label>
        )}
        {entry === null && isMap && (
          <label class="field">
            Value
            <input class="input mono" name="value" required autocomplete="off" />
          </label>
        )}
        <Sign message={message} onMessage={setMessage} why="Why (kept with the list)" />
        {state instanceof Error && <Trouble error={state} />}
        <div class="foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button main-action" disabled={state === 'busy'}>
            {entry === null ? 'Add' : 'Remove'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
