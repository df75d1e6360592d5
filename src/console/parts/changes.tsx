import type { RuleChange } from '../api/types.js';
import { to } from '../lib/router.js';

const TONE = { added: 'good', changed: 'medium', removed: 'critical' } as const;
const RUNS: Readonly<Record<string, string>> = {
  kept: 'what is under way goes on',
  restarted: 'what is under way is forgotten',
  drained: 'what is under way ends under the old revision',
  filled: 'filled from the log',
  dropped: 'what is under way is dropped',
};

export function Changes({ changes }: { readonly changes: readonly RuleChange[] }) {
  if (changes.length === 0) return <span class="faint">nothing changes in what is found</span>;
  return (
    <ul class="changes">
      {changes.map(({ id, change, runs }) => (
        <li key={id} class="row">
          <span class={`badge ${TONE[change]}`}>{change}</span>
          <a class="mono linked" href={to(['patterns', id])}>
            {id}
          </a>
          {runs !== null && <span class="faint">{RUNS[runs] ?? runs}</span>}
        </li>
      ))}
    </ul>
  );
}
