import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { BacktestCard } from '../backtest/backtest-card.js';
import { to } from '../lib/router.js';
import { Panel, Trouble } from '../parts/basics.js';

interface BacktestPanelProps {
  readonly id: string;
  readonly file: string;
  readonly yaml: string;
  readonly isNew: boolean;
  readonly isBroken: boolean;
}

const RANGES = [
  ['', 'all that is kept'],
  ['1', 'the last hour'],
  ['24', 'the last day'],
  ['168', 'the last week'],
] as const;

/** What the text as it stands would have found, beside what is in force. */
export function BacktestPanel({ id, file, yaml, isNew, isBroken }: BacktestPanelProps) {
  const [hours, setHours] = useState('');
  const [job, setJob] = useState<string | Error | null>(null);
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      const from = hours === '' ? {} : { from: new Date(Date.now() - Number(hours) * 3_600_000).toISOString() };
      const made = await api.startBacktest({
        ...{ title: `${id}, from the editor`, rules: { files: [{ file, text: yaml }] }, ...from },
        ...(isNew ? {} : { baseline: { ids: [id] } }),
      });
      setJob(made.id);
    } catch (error) {
      setJob(error as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title="Back-test"
      actions={
        <>
          <select
            class="input"
            aria-label="Over which time"
            value={hours}
            onChange={({ currentTarget }) => setHours(currentTarget.value)}
          >
            {RANGES.map(([of, name]) => (
              <option key={of} value={of}>
                {name}
              </option>
            ))}
          </select>
          <button type="button" class="button" disabled={isBroken || busy} onClick={start}>
            Run
          </button>
        </>
      }
    >
      {job instanceof Error && <Trouble error={job} />}
      {typeof job === 'string' && <BacktestCard key={job} id={job} />}
      {job === null && (
        <p class="faint">
          Runs this text over the log{isNew ? '' : ', beside the rule in force'}.{' '}
          <a href={to(['backtests'])}>All back-tests</a>
        </p>
      )}
    </Panel>
  );
}
