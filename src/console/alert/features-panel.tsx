import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Alert } from '../api/types.js';
import { value } from '../lib/format.js';
import { useResource } from '../lib/hooks.js';
import { Loaded, Panel } from '../parts/basics.js';

type Values = Readonly<Record<string, unknown>>;

/** What the features of the key were when the match was complete; beside it, when it is asked for, what they are now. */
export function FeaturesPanel({ alert }: { readonly alert: Alert }) {
  const [isAsked, setIsAsked] = useState(false);
  const then = alert.features ?? {};
  if (Object.keys(then).length === 0) return null;
  return (
    <Panel
      title="What was usual"
      note="features of the key when the match was complete"
      actions={
        !isAsked && (
          <button type="button" class="button plain" onClick={() => setIsAsked(true)}>
            And now?
          </button>
        )
      }
    >
      {isAsked ? <Now alert={alert} then={then} /> : <Table then={then} />}
    </Panel>
  );
}

function Now({ alert, then }: { readonly alert: Alert; readonly then: Values }) {
  const features = useResource((signal) => api.featuresOf(alert.id, signal), [alert.id]);
  return (
    <>
      {features.data === null && <Table then={then} />}
      <Loaded of={features}>
        {({ items }) => <Table then={then} now={Object.assign({}, ...items.map((item) => item.features)) as Values} />}
      </Loaded>
    </>
  );
}

function Table({ then, now }: { readonly then: Values; readonly now?: Values }) {
  return (
    <table class="table">
      <thead class={now === undefined ? 'unseen' : ''}>
        <tr>
          <th scope="col">Feature</th>
          <th scope="col" class="end">
            Then
          </th>
          {now !== undefined && (
            <th scope="col" class="end">
              Now
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {Object.entries(then).map(([name, of]) => (
          <tr key={name}>
            <th scope="row" class="mono">
              {name}
            </th>
            <td class="end number">{value(of)}</td>
            {now !== undefined && <td class="end number">{value(now[name] ?? null)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
