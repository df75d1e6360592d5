import { useMemo, useState } from 'preact/hooks';
import type { Pattern, Status } from '../api/types.js';
import { compact, duration, number, percent, plural } from '../lib/format.js';
import { to } from '../lib/router.js';
import { Empty, Note, SeverityBadge, StatusBadge } from '../parts/basics.js';

type Column = 'title' | 'status' | 'severity' | 'matches' | 'runs' | 'latency' | 'cost';
const SEVERITY = { critical: 3, high: 2, medium: 1, low: 0 } as const;
const STATUS = { live: 3, shadow: 2, draft: 1, retired: 0 } as const;

const BY: Readonly<Record<Column, (a: Pattern, b: Pattern) => number>> = {
  title: (a, b) => a.title.localeCompare(b.title),
  status: (a, b) => STATUS[b.status] - STATUS[a.status],
  severity: (a, b) => SEVERITY[b.severity] - SEVERITY[a.severity],
  matches: (a, b) => b.health.matches - a.health.matches,
  runs: (a, b) => (b.health.runs ?? 0) - (a.health.runs ?? 0),
  latency: (a, b) => (b.health.latencyMs ?? -1) - (a.health.latencyMs ?? -1),
  cost: (a, b) => (b.health.cost ?? 0) - (a.health.cost ?? 0),
};

interface PatternListProps {
  readonly patterns: readonly Pattern[];
  readonly status: Status;
}

export function PatternList({ patterns, status }: PatternListProps) {
  const [column, setColumn] = useState<Column>('matches');
  const [words, setWords] = useState('');
  const rows = useMemo(() => {
    const fits = ({ id, title, tags, key }: Pattern) => {
      const text = `${id} ${title} ${tags.join(' ')} ${key}`.toLowerCase();
      return words
        .toLowerCase()
        .split(/\s+/)
        .every((word) => text.includes(word));
    };
    return patterns.filter(fits).sort((a, b) => BY[column](a, b) || BY.title(a, b));
  }, [patterns, column, words]);
  const { rules } = status;
  const runs = status.detector?.partitions.reduce((sum, partition) => sum + partition.runs, 0) ?? 0;
  const costliest = Math.max(0.001, ...rows.map(({ health }) => health.cost ?? 0));
  const head = { by: column, onChoose: setColumn };
  return (
    <>
      <div class="page-head">
        <h1>Patterns</h1>
        <span class="faint">
          {rules !== null &&
            `${rules.counts.live + rules.counts.canary} live, ${rules.counts.shadow} shadow, ${rules.counts.draft} draft · `}
          {compact(runs)} partial matches under way
        </span>
        <div class="actions">
          <input
            class="input"
            type="search"
            aria-label="Find a pattern"
            placeholder="Find a pattern"
            value={words}
            onInput={({ currentTarget }) => setWords(currentTarget.value)}
          />
          <a class="button main-action" href={to(['patterns', 'new'])}>
            New pattern
          </a>
        </div>
      </div>
      {rules?.trouble && <Note tone="critical">{rules.trouble}</Note>}
      {rules !== null && rules.pending.length > 0 && (
        <Note tone="high">
          {plural(rules.pending.length, 'revision waits', 'revisions wait')} for approval.{' '}
          <a href={to(['revisions'])}>Look at them</a>
        </Note>
      )}
      <section class="panel scroll-x" aria-label="List of patterns">
        {rows.length === 0 ? (
          <Empty title={words === '' ? 'There are no patterns' : 'No pattern has these words'} />
        ) : (
          <table class="table">
            <thead>
              <tr>
                <Head name="Pattern" column="title" {...head} />
                <Head name="Status" column="status" {...head} />
                <Head name="Severity" column="severity" {...head} />
                <th scope="col">Key</th>
                <th scope="col" class="end">
                  Window
                </th>
                <Head name="Matches" column="matches" {...head} end />
                <Head name="Partial" what="Partial matches under way" column="runs" {...head} end />
                <Head
                  name="Latency"
                  what="99 in 100 alerts were committed so soon after the event that completed them"
                  column="latency"
                  {...head}
                  end
                />
                <Head name="Cost" what="Share of the work of all patterns" column="cost" {...head} end />
                <th scope="col">Health</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <PatternRow key={row.id} row={row} costliest={costliest} />
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

interface HeadProps {
  readonly name: string;
  /** In more words. */
  readonly what?: string;
  readonly column: Column;
  readonly by: Column;
  readonly onChoose: (column: Column) => void;
  readonly end?: boolean;
}

function Head({ name, what, column, by, onChoose, end }: HeadProps) {
  const sorted = by === column ? (column === 'title' ? 'ascending' : 'descending') : undefined;
  return (
    <th scope="col" class={end ? 'end' : ''} aria-sort={sorted}>
      <button type="button" class="sort" title={what} onClick={() => onChoose(column)}>
        {name}
        {sorted === undefined ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}
      </button>
    </th>
  );
}

interface PatternRowProps {
  readonly row: Pattern;
  readonly costliest: number;
}

function PatternRow({ row, costliest }: PatternRowProps) {
  const { id, title, status, severity, score, key, steps, withinMs, canary, health } = row;
  return (
    <tr class="goes">
      <td class="name-cell">
        <a href={to(['patterns', id])}>{title}</a>
        <div class="faint">
          <span class="mono">{id}</span> · {steps.join(' → ')}
        </div>
      </td>
      <td>
        <StatusBadge status={status} />
        {canary !== null && <div class="faint number">{canary} % of keys</div>}
      </td>
      <td>
        <SeverityBadge severity={severity} score={score} />
      </td>
      <td class="mono soft">{key}</td>
      <td class="end number soft nowrap">{withinMs ? duration(withinMs) : '–'}</td>
      <td class="end number nowrap">
        <a
          href={to(['alerts'], { pattern: id })}
          aria-label={`${plural(health.matches, 'match', 'matches')}: show its alerts`}
        >
          {number(health.matches)}
        </a>
      </td>
      <td class="end number nowrap soft">{health.runs === null ? '–' : compact(health.runs)}</td>
      <td class="end number nowrap soft">{health.latencyMs === null ? '–' : duration(health.latencyMs)}</td>
      <td class="end number nowrap soft">
        {health.cost === null ? '–' : percent(health.cost)}
        <Load share={(health.cost ?? 0) / costliest} />
      </td>
      <td>
        <Health pattern={row} />
      </td>
    </tr>
  );
}

function Load({ share }: { readonly share: number }) {
  return (
    <span class="bar load" aria-hidden="true">
      <i style={{ width: `${share * 100}%` }} />
    </span>
  );
}

export function Health({ pattern: { status, health } }: { readonly pattern: Pattern }) {
  const stopped = health.quarantined.length;
  if (stopped > 0)
    return (
      <span class="badge critical" title={health.quarantined[0]!.detail}>
        stopped in {stopped}
      </span>
    );
  if (health.filling) return <span class="badge medium">filling</span>;
  return status === 'live' || status === 'shadow' ? (
    <span class="badge good">well</span>
  ) : (
    <span class="faint">not run</span>
  );
}
