import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Alert, Verdict } from '../api/types.js';
import { Note, Panel, Trouble } from '../parts/basics.js';

const VERDICTS: readonly (readonly [Verdict, string])[] = [
  ['true', 'Fraud'],
  ['false', 'No fraud'],
  ['unsure', 'Unsure'],
];

/** What an analyst found: it labels the alert for back-tests. */
export function Feedback({ alert }: { readonly alert: Alert }) {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [note, setNote] = useState('');
  const [state, setState] = useState<'idle' | 'busy' | 'done' | Error>('idle');
  const send = async (event: Event) => {
    event.preventDefault();
    if (verdict === null) return;
    setState('busy');
    try {
      await api.giveFeedback(alert.id, { verdict, note });
      setState('done');
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Panel title="Your verdict">
      <form class="stack tight" onSubmit={send}>
        <fieldset class="choice">
          <legend class="unseen">Verdict</legend>
          {VERDICTS.map(([of, name]) => (
            <label key={of}>
              <input
                type="radio"
                name="verdict"
                checked={verdict === of}
                onChange={() => {
                  setVerdict(of);
                  setState('idle');
                }}
              />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <textarea
          class="input"
          aria-label="Note"
          placeholder="What you found (optional)"
          value={note}
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
        />
        {state instanceof Error && <Trouble error={state} />}
        {state === 'done' && <Note tone="good">Kept.</Note>}
        <button type="submit" class="button main-action" disabled={verdict === null || state === 'busy'}>
          {state === 'busy' ? 'Saving' : 'Save verdict'}
        </button>
      </form>
    </Panel>
  );
}
