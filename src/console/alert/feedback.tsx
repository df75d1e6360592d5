import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { AlertDetail, Verdict } from '../api/types.js';
import { author, useMe } from '../lib/author.js';
import { Panel, Time, Trouble } from '../parts/basics.js';
import { signed } from '../parts/sign.js';
import { say } from '../parts/toasts.js';

const VERDICTS: readonly (readonly [Verdict, string])[] = [
  ['true', 'Fraud'],
  ['false', 'No fraud'],
  ['unsure', 'Unsure'],
];
const WORDS = { true: 'Fraud', false: 'No fraud', unsure: 'Unsure' } as const;
const SNOOZES = [
  [1, '1 hour'],
  [24, '1 day'],
  [168, '1 week'],
] as const;

interface FeedbackProps {
  readonly alert: AlertDetail;
  readonly onJudged: () => void;
}

/** What an analyst found: it labels the alert, and back-tests can learn from it. */
export function Feedback({ alert, onJudged }: FeedbackProps) {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [note, setNote] = useState('');
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const { data: me } = useMe();
  const act = async (work: () => Promise<unknown>, done: string) => {
    setState('busy');
    try {
      await work();
      setState('idle');
      say(done);
      onJudged();
    } catch (error) {
      setState(error as Error);
    }
  };
  const send = (event: Event) => {
    event.preventDefault();
    if (verdict === null) return;
    const by = author.value === '' ? {} : { author: author.value };
    void act(() => api.giveFeedback(alert.id, { verdict, note, ...by }), `Kept: ${WORDS[verdict].toLowerCase()}.`);
  };
  const snooze = (hours: number, name: string) => {
    const until = new Date(Date.now() + hours * 3_600_000).toISOString();
    const { author: by } = signed('');
    const body = { key: alert.key, pattern: alert.patternId, until, reason: note, ...(by ? { author: by } : {}) };
    void act(() => api.snooze(body), `Snoozed for ${name}: this pattern for this key.`);
  };
  return (
    <Panel title="Your verdict">
      <form class="stack tight" onSubmit={send}>
        <fieldset class="choice">
          <legend class="unseen">Verdict</legend>
          {VERDICTS.map(([of, name]) => (
            <label key={of}>
              <input type="radio" name="verdict" checked={verdict === of} onChange={() => setVerdict(of)} />
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
        {me?.by === 'none' && (
          <input
            class="input"
            aria-label="Your name"
            placeholder="Your name"
            autocomplete="name"
            defaultValue={author.value}
            onInput={({ currentTarget }) => author.set(currentTarget.value.trim())}
          />
        )}
        {state instanceof Error && <Trouble error={state} />}
        <div class="row">
          <button type="submit" class="button main-action" disabled={verdict === null || state === 'busy'}>
            Save verdict
          </button>
          <select
            class="input"
            aria-label="Snooze this pattern for this key"
            value=""
            onChange={({ currentTarget }) => {
              const found = SNOOZES.find(([hours]) => String(hours) === currentTarget.value);
              currentTarget.value = '';
              if (found !== undefined) snooze(found[0], found[1]);
            }}
          >
            <option value="">Snooze…</option>
            {SNOOZES.map(([hours, name]) => (
              <option key={hours} value={hours}>
                for {name}
              </option>
            ))}
          </select>
        </div>
      </form>
      {alert.feedback.length > 0 && (
        <ol class="verdicts">
          {alert.feedback.map((given) => (
            <li key={given.id}>
              <strong>{WORDS[given.verdict]}</strong> <span class="faint">{given.author},</span>{' '}
              <span class="faint">
                <Time ms={given.at} />
              </span>
              {given.note !== '' && <div>{given.note}</div>}
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
