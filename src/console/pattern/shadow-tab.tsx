import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { PatternDetail, Shadow, ShadowTotals } from '../api/types.js';
import { number } from '../lib/format.js';
import { useResource } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, Note, Panel, Time } from '../parts/basics.js';

/** What a pattern finds in shadow, against what a live one finds. */
export function ShadowTab({ pattern }: { readonly pattern: PatternDetail }) {
  const { id, status } = pattern;
  const [against, setAgainst] = useState(id);
  const others = useResource((signal) => api.patterns(signal), []);
  const shadow = useResource((signal) => api.shadow(id, { against }, signal), [id, against], 5_000);
  const live = (others.data ?? []).filter((other) => other.id === id || other.status === 'live');
  return (
    <>
      {status !== 'shadow' && (
        <Note>
          This pattern is {status}. Publish it with the status shadow to see what it would find, without an alert
          reaching anyone. <a href={to(['patterns', id])}>To the rule</a>
        </Note>
      )}
      <label class="row">
        <span class="soft">Against the live alerts of</span>
        <select class="input" value={against} onChange={({ currentTarget }) => setAgainst(currentTarget.value)}>
          {live.map((other) => (
            <option key={other.id} value={other.id}>
              {other.title}
            </option>
          ))}
        </select>
      </label>
      <Loaded of={shadow}>{(data) => <Compared shadow={data} />}</Loaded>
    </>
  );
}

function Compared({
  shadow: { from, to: until, shadow, live, bothKeys, onlyShadowKeys, onlyLiveKeys },
}: {
  readonly shadow: Shadow;
}) {
  const all = bothKeys + onlyShadowKeys + onlyLiveKeys;
  if (all === 0)
    return (
      <Empty title="Neither has found anything yet">
        <p>
          Looked at: <Time ms={from} /> to <Time ms={until} /> (event time).
        </p>
      </Empty>
    );
  const parts = [
    ['both', bothKeys, 'keys that both found'],
    ['shadow', onlyShadowKeys, 'keys that shadow alone found'],
    ['live', onlyLiveKeys, 'keys that live alone found'],
  ] as const;
  return (
    <>
      <div class="halves">
        <Totals of={shadow} title="In shadow" />
        <Totals of={live} title="Live" />
      </div>
      <Panel title="Keys" note={`${number(all)} in all`}>
        <div class="split" role="img" aria-label={parts.map(([, n, what]) => `${n} ${what}`).join(', ')}>
          {parts.map(([name, n]) => n > 0 && <i key={name} class={name} style={{ flexGrow: n }} />)}
        </div>
        <ul class="row legend">
          {parts.map(([name, n, what]) => (
            <li key={name} class={`split-${name}`}>
              <strong class="number">{number(n)}</strong> {what}
            </li>
          ))}
        </ul>
      </Panel>
    </>
  );
}

function Totals({ of, title }: { readonly of: ShadowTotals; readonly title: string }) {
  return (
    <Panel title={title} note={<span class="mono">{of.pattern}</span>}>
      <dl class="facts">
        <dt>Alerts</dt>
        <dd class="number">{number(of.alerts)}</dd>
        <dt>Keys</dt>
        <dd class="number">{number(of.keys)}</dd>
        {of.kind === 'live' && (
          <>
            <dt>Verdicts</dt>
            <dd>
              {of.confirmed} fraud, {of.dismissed} no fraud, {of.unsure} unsure
            </dd>
          </>
        )}
        <dt>Latest</dt>
        <dd>{of.lastAt === null ? '–' : <Time ms={of.lastAt} />}</dd>
      </dl>
    </Panel>
  );
}
