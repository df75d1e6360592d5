import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Backtest } from '../api/types.js';
import { BacktestCard, JobBadge } from '../backtest/backtest-card.js';
import { compact, number, percent } from '../lib/format.js';
import { useResource, useTitle } from '../lib/hooks.js';
import { go, type Place, to } from '../lib/router.js';
import { Empty, Loaded, Panel, Time, Trouble } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';

export default function BacktestsPage({ place }: { readonly place: Place }) {
  useTitle('Back-tests');
  const [, id] = place.path;
  const jobs = useResource((signal) => api.backtests(signal), [], 3_000);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Back-tests</h1>
        <span class="faint">rules over history, in a process of their own</span>
        <div class="actions">
          <a class="button main-action" href={to(['backtests'], { new: 'yes' })}>
            New back-test
          </a>
        </div>
      </div>
      {id !== undefined && (
        <Panel title="Back-test">
          <BacktestCard key={id} id={id} />
        </Panel>
      )}
      <Loaded of={jobs}>
        {(all) => (
          <section class="panel scroll-x" aria-label="List of back-tests">
            {all.length === 0 ? (
              <Empty title="No back-tests yet">
                <p>Measure the rules in force over the log, or run one from the editor of a pattern.</p>
              </Empty>
            ) : (
              <JobTable jobs={all} chosen={id} onChanged={jobs.reload} />
            )}
          </section>
        )}
      </Loaded>
      {place.query.get('new') !== null && <NewBacktest />}
    </div>
  );
}

interface JobTableProps {
  readonly jobs: readonly Backtest[];
  readonly chosen: string | undefined;
  readonly onChanged: () => void;
}

function JobTable({ jobs, chosen, onChanged }: JobTableProps) {
  const share = (of: number | null | undefined) => (of === null || of === undefined ? '–' : percent(of));
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Back-test</th>
          <th scope="col">State</th>
          <th scope="col">Begun</th>
          {['Events', 'Alerts', 'Precision', 'Recall'].map((name) => (
            <th key={name} scope="col" class="end">
              {name}
            </th>
          ))}
          <th scope="col">
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map(({ id, title, state, createdAt, progress, summary, endedAt }) => (
          <tr key={id} class="goes" aria-current={id === chosen ? 'true' : undefined}>
            <td class="name-cell">
              <a href={to(['backtests', id])}>{title ?? 'Back-test'}</a>
              <div class="mono faint">{id}</div>
            </td>
            <td>
              <JobBadge state={state} /> {state === 'running' && progress && percent(progress.fraction)}
            </td>
            <td class="nowrap">
              <Time ms={Date.parse(createdAt)} />
            </td>
            <td class="end number">{summary === null ? '–' : compact(summary.events)}</td>
            <td class="end number">{summary === null ? '–' : number(summary.alerts)}</td>
            <td class="end number">{share(summary?.precision)}</td>
            <td class="end number">{share(summary?.recall)}</td>
            <td class="end">
              <button
                type="button"
                class="button plain"
                aria-label={`${endedAt === null ? 'Cancel' : 'Remove'} ${title ?? id}`}
                onClick={() => void api.endBacktest(id).then(onChanged)}
              >
                {endedAt === null ? 'Cancel' : 'Remove'}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const text = (form: FormData, name: string): string | undefined => String(form.get(name) ?? '').trim() || undefined;
const moment = (of: string | undefined): string | undefined =>
  of === undefined ? undefined : new Date(of).toISOString();

function NewBacktest() {
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const patterns = useResource((signal) => api.patterns(signal), []);
  const close = () => go(to(['backtests']), true);
  const start = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setState('busy');
    try {
      const of = text(form, 'pattern');
      const job = await api.startBacktest({
        title: text(form, 'title') ?? (of === undefined ? 'Rules in force' : of),
        ...(of === undefined ? {} : { rules: { ids: [of] } }),
        ...{ from: moment(text(form, 'from')), to: moment(text(form, 'to')), warmup: text(form, 'warmup') },
      });
      go(to(['backtests', job.id]), true);
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <Dialog label="New back-test" onClose={close}>
      <form class="dialog-body" onSubmit={start}>
        <h2>New back-test</h2>
        <label class="field">
          Name
          <input class="input" name="title" placeholder="For people" />
        </label>
        <label class="field">
          Rules
          <select class="input" name="pattern">
            <option value="">all that are in force</option>
            {(patterns.data ?? []).map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <div class="halves">
          <label class="field">
            From (event time)
            <input class="input" type="datetime-local" name="from" />
          </label>
          <label class="field">
            To
            <input class="input" type="datetime-local" name="to" />
          </label>
        </div>
        <label class="field">
          Read so long before
          <input class="input" name="warmup" placeholder="such as 30d" pattern="(\d+(\.\d+)?(ms|s|m|h|d))+" />
        </label>
        {state instanceof Error && <Trouble error={state} />}
        <div class="foot">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button main-action" disabled={state === 'busy'}>
            Run
          </button>
        </div>
      </form>
    </Dialog>
  );
}
