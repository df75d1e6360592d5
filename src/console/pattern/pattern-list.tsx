import { useMemo, useState } from 'preact/hooks';
import type { Pattern, RuleFile, RuleSet, Status } from '../api/types.js';
import { compact, duration, plural } from '../lib/format.js';
import { to } from '../lib/router.js';
import { Empty, Note, SeverityBadge, StatusBadge } from '../parts/basics.js';

interface Row {
  readonly id: string;
  readonly rule: RuleFile;
  /** Null: it does not run. */
  readonly pattern: Pattern | null;
  readonly matches: number;
}

type Column = 'title' | 'status' | 'severity' | 'matches';
const SEVERITY = { critical: 3, high: 2, medium: 1, low: 0 } as const;
const STATUS = { live: 3, shadow: 2, draft: 1, retired: 0 } as const;

const BY: Readonly<Record<Column, (a: Row, b: Row) => number>> = {
  title: (a, b) => nameOf(a).localeCompare(nameOf(b)),
  status: (a, b) => STATUS[b.rule.status] - STATUS[a.rule.status],
  severity: (a, b) => (b.pattern ? SEVERITY[b.pattern.severity] : -1) - (a.pattern ? SEVERITY[a.pattern.severity] : -1),
  matches: (a, b) => b.matches - a.matches,
};

const nameOf = ({ pattern, id }: Row): string => pattern?.title ?? id;

interface PatternListProps {
  readonly patterns: readonly Pattern[];
  readonly rules: RuleSet;
  readonly status: Status;
}

export function PatternList({ patterns, rules, status }: PatternListProps) {
  const [column, setColumn] = useState<Column>('matches');
  const [words, setWords] = useState('');
  const rows = useMemo(() => {
    const running = new Map(patterns.map((pattern) => [pattern.id, pattern]));
    const all = rules.rules.map((rule): Row => {
      const pattern = running.get(rule.id) ?? null;
      return { id: rule.id, rule, pattern, matches: pattern?.matches ?? 0 };
    });
    const fits = (row: Row) =>
      words
        .toLowerCase()
        .split(/\s+/)
        .every((word) => `${row.id} ${nameOf(row)} ${row.pattern?.tags.join(' ') ?? ''}`.toLowerCase().includes(word));
    return all.filter(fits).sort((a, b) => BY[column](a, b) || BY.title(a, b));
  }, [patterns, rules, column, words]);
  const { counts } = rules;
  const runs = status.detector?.partitions.reduce((sum, partition) => sum + partition.runs, 0) ?? 0;
  const most = Math.max(1, ...rows.map(({ matches }) => matches));
  return (
    <>
      <div class="page-head">
        <h1>Patterns</h1>
        <span class="faint">
          {plural(counts.live + counts.canary, 'live', 'live')}, {counts.shadow} shadow, {counts.draft} draft ·{' '}
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
      {rules.trouble !== null && <Note tone="critical">{rules.trouble}</Note>}
      {rules.pending.length > 0 && (
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
                <Head name="Pattern" column="title" by={column} onChoose={setColumn} />
                <Head name="Status" column="status" by={column} onChoose={setColumn} />
                <Head name="Severity" column="severity" by={column} onChoose={setColumn} />
                <th scope="col">Key</th>
                <th scope="col">Steps</th>
                <th scope="col" class="end">
                  Window
                </th>
                <Head name="Matches" column="matches" by={column} onChoose={setColumn} end />
                <th scope="col">Health</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <PatternRow key={row.id} row={row} most={most} />
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
  readonly column: Column;
  readonly by: Column;
  readonly onChoose: (column: Column) => void;
  readonly end?: boolean;
}

function Head({ name, column, by, onChoose, end }: HeadProps) {
  const sorted = by === column ? (column === 'title' ? 'ascending' : 'descending') : undefined;
  return (
    <th scope="col" class={end ? 'end' : ''} aria-sort={sorted}>
      <button type="button" class="sort" onClick={() => onChoose(column)}>
        {name}
        {sorted === undefined ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}
      </button>
    </th>
  );
}

function PatternRow({ row, most }: { readonly row: Row; readonly most: number }) {
  const { rule, pattern, matches } = row;
  return (
    <tr class="goes">
      <td class="name-cell">
        <a href={to(['patterns', row.id])}>{nameOf(row)}</a>
        <div class="mono faint">{row.id}</div>
      </td>
      <td>
        <StatusBadge status={rule.status} />
      </td>
      <td>{pattern && <SeverityBadge severity={pattern.severity} score={pattern.score} />}</td>
      <td class="mono soft">{pattern?.key}</td>
      <td class="soft">{pattern?.steps.join(' → ')}</td>
      <td class="end number soft nowrap">{pattern?.withinMs ? duration(pattern.withinMs) : '–'}</td>
      <td class="end number nowrap">
        <a
          href={to(['alerts'], { pattern: row.id })}
          aria-label={`${plural(matches, 'match', 'matches')}: show its alerts`}
        >
          {compact(matches)}
        </a>{' '}
        <span class="load">
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${(matches / most) * 100}%` }} />
          </span>
        </span>
      </td>
      <td>
        {rule.quarantined.length > 0 ? (
          <span class="badge critical" title={rule.quarantined[0]!.detail}>
            stopped in {plural(rule.quarantined.length, 'partition')}
          </span>
        ) : (
          pattern && <span class="badge good">well</span>
        )}
      </td>
    </tr>
  );
}
