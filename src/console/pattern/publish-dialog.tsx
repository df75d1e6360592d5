import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { RuleStatus } from '../api/types.js';
import { Differences } from '../editor/editor.js';
import { useResource } from '../lib/hooks.js';
import { Loaded, Note, Trouble } from '../parts/basics.js';
import { Changes } from '../parts/changes.js';
import { Dialog } from '../parts/dialog.js';
import { Sign, signed } from '../parts/sign.js';
import { say } from '../parts/toasts.js';

interface PublishDialogProps {
  readonly id: string;
  readonly yaml: string;
  /** As it is in force; empty: it is new. */
  readonly before: string;
  readonly status: RuleStatus;
  readonly onStatus: (status: RuleStatus) => void;
  readonly onClose: () => void;
  readonly onDone: (id: string) => void;
}

const STATUSES: readonly (readonly [RuleStatus, string])[] = [
  ['draft', 'kept, not run'],
  ['shadow', 'runs, its alerts apart'],
  ['live', 'runs, and alerts'],
  ['retired', 'not run any more'],
];

/** What publishing would change, then who does it and why. */
export function PublishDialog({ id, yaml, before, status, onStatus, onClose, onDone }: PublishDialogProps) {
  const [message, setMessage] = useState('');
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const plan = useResource(() => api.putPattern(id, { yaml, dryRun: true }), [id, yaml]);
  const publish = async (event: Event) => {
    event.preventDefault();
    setState('busy');
    try {
      const { outcome, revision } = await api.putPattern(id, { yaml, ...signed(message) });
      say(
        outcome === 'pending'
          ? `Revision ${revision} waits for someone else to approve it.`
          : outcome === 'unchanged'
            ? 'Nothing was changed: it is in force already.'
            : `Revision ${revision} is in force.`,
        outcome === 'pending' ? 'high' : 'good',
      );
      onDone(id);
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Dialog label={`Publish ${id}`} name="wide" onClose={onClose}>
      <form class="dialog-body" onSubmit={publish}>
        <h2>
          Publish <span class="mono">{id}</span>
        </h2>
        <fieldset class="choice statuses">
          <legend class="unseen">Status</legend>
          {STATUSES.map(([of, what]) => (
            <label key={of} title={what}>
              <input type="radio" name="status" checked={status === of} onChange={() => onStatus(of)} />
              <span>{of}</span>
            </label>
          ))}
        </fieldset>
        <p class="faint">{STATUSES.find(([of]) => of === status)?.[1]}</p>
        <Loaded of={plan}>
          {({ changes, warnings }) => (
            <>
              <Changes changes={changes} />
              {warnings
                .filter(({ file }) => file.includes(id))
                .map(({ line, message: text }) => (
                  <Note key={text} tone="high">
                    Line {line}: {text}
                  </Note>
                ))}
            </>
          )}
        </Loaded>
        {before !== '' && before !== yaml && <Differences before={before} after={yaml} />}
        <Sign message={message} onMessage={setMessage} why="Why (kept in the history)" />
        {state instanceof Error && <Trouble error={state} />}
        <div class="foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button main-action" disabled={state === 'busy' || plan.data === null}>
            {state === 'busy' ? 'Publishing' : 'Publish'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
