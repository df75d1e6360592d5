import * as api from '../api/calls.js';
import { changeList, type ListChange } from '../api/list-calls.js';
import type { ReferenceList } from '../api/types.js';
import { type SignedAct, SignedDialog } from '../parts/signed-dialog.js';
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
  const isMap = list.kind === 'map';
  const title = entry === null ? `Add to ${list.name}` : `Remove ${entry} from ${list.name}`;
  const act: SignedAct = async (by, form) => {
    const key = String(form.get('key') ?? '').trim();
    const before = inForce(await api.status());
    const put = isMap ? { [key]: String(form.get('value') ?? '') } : [key];
    const change: ListChange = entry === null ? { put } : { remove: [entry] };
    const now = await changeList(list.name, change, by);
    onChanged({ list: now, said: entry === null ? `${key} is in ${list.name}.` : `${entry} is gone.`, before });
  };
  return (
    <SignedDialog
      title={title}
      why="Why (kept with the list)"
      action={entry === null ? 'Add' : 'Remove'}
      onClose={onClose}
      act={act}
    >
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
    </SignedDialog>
  );
}
