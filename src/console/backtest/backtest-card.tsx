import * as api from '../api/calls.js';
import { call } from '../api/client.js';
import type { Backtest, BacktestResult } from '../api/types.js';
import { compact, duration, number, percent } from '../lib/format.js';
import { useResource } from '../lib/hooks.js';
import { Loaded, Note, Trouble, Waiting } from '../parts/basics.js';
import { say } from '../parts/toasts.js';
import { session } from '../session/session.js';
import { useBacktest } from './use-backtest.js';

const TONE = { queued: 'calm', running: 'medium', done: 'good', failed: 'critical', cancelled: 'calm' } as const;

export function JobBadge({ state }: { readonly state: Backtest['state'] }) {
  return <span class={`badge ${TONE[state]}`}>{state}</span>;
}

/** How far a back-test is, and what it found. */
export function BacktestCard({ id }: { readonly id: string }) {
  const { job, error } = useBacktest(id);
  if (error !== null) return <Trouble error={error} />;
  if (job === null) return <Waiting />;
  return (
    <div class="stack tight">
      <div class="row">
        <JobBadge state={job.state} />
        <span class="grow cut">{job.title ?? job.id}</span>
        {job.endedAt === null && (
          <button type="button" class="button" onClick={() => void api.endBacktest(id)}>
            Cancel
          </button>
        )}
      </div>
      {job.endedAt === null && <Progress job={job} />}
      {job.error !== null && job.state === 'failed' && <Note tone="critical">{job.error}</Note>}
      {job.state === 'done' && <Done job={job} />}
    </div>
  );
}

function Progress({ job: { progress } }: { readonly job: Backtest }) {
  const share = progress?.fraction ?? 0;
  return (
    <div role="status">
      <div
        class="bar"
        role="progressbar"
        aria-label="Read so far"
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <p class="faint number">
        {progress === null
          ? 'waits'
          : `${percent(share)}, ${compact(progress.events)} events, ${compact(Math.round(progress.eventsPerSecond))}/s${
              progress.secondsLeft === null ? '' : `, ${duration(progress.secondsLeft * 1000)} left`
            }`}
      </p>
    </div>
  );
}

function Done({ job }: { readonly job: Backtest }) {
  const result = useResource((signal) => api.backtestResult(job.id, signal), [job.id]);
  return (
    <>
      <Figures job={job} />
      <Loaded of={result}>{(data) => <Compared result={data} />}</Loaded>
      <p>
        <ReportLink job={job} />
      </p>
    </>
  );
}

/** A link cannot say who asks, so where one had to sign in the report is fetched, and kept as a file. */
function ReportLink({ job }: { readonly job: Backtest }) {
  const path = api.backtestReport(job.id);
  if (session() === null)
    return (
      <a class="button" href={path} target="_blank" rel="noreferrer">
        Open the report
      </a>
    );
  const download = async () => {
    const address = URL.createObjectURL(await (await call(path)).blob());
    const link = Object.assign(document.createElement('a'), { href: address, download: `backtest-${job.id}.html` });
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <button
      type="button"
      class="button"
      onClick={() => void download().catch((error: Error) => say(error.message, 'critical'))}
    >
      Download the report
    </button>
  );
}

export function Figures({ job: { summary } }: { readonly job: Backtest }) {
  if (summary === null) return null;
  const shares = [
    ['Precision', summary.precision],
    ['Recall', summary.recall],
    ['F1', summary.f1],
  ] as const;
  return (
    <dl class="figures">
      <div>
        <dt>Events</dt>
        <dd>{compact(summary.events)}</dd>
      </div>
      <div>
        <dt>Alerts</dt>
        <dd>{number(summary.alerts)}</dd>
      </div>
      {shares.map(
        ([name, share]) =>
          share !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{percent(share)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** What is found now and was not, and the other way round. */
function Compared({ result: { comparison } }: { readonly result: BacktestResult }) {
  if (comparison === null || comparison === undefined) return null;
  const { common, lost, new: found } = comparison;
  return (
    <p class="soft">
      Beside the rule in force, by accused transactions: {number(common.accused)} alike,{' '}
      <strong>{number(found.accused)} new</strong>, <strong>{number(lost.accused)} gone</strong>.
    </p>
  );
}
