import { useState } from 'preact/hooks';
import { endSnooze, snoozes } from '../api/list-calls.js';
import type { Snooze } from '../api/types.js';
import { duration, plural } from '../lib/format.js';
import { useNow, useResource, useTitle } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, Time } from '../parts/basics.js';
import { ScrollX } from '../parts/scroll-x.js';
import { say } from '../parts/toasts.js';

const EVERY_MS = 10_000;

/** Keys that nobody wants to hear of for a while. */
export default function SnoozesPage() {
  useTitle('Snoozed keys');
  const now = useNow(1_000);
  const all = useResource((signal) => snoozes(signal), [], EVERY_MS);
  return (
    <div class="page">
      <header class="stack tight">
        <nav aria-label="Way back" class="faint">
          <a class="linked" href={to(['alerts'])}>
            Alerts
          </a>{' '}
          / snoozed keys
        </nav>
        <div class="page-head">
          <h1>Snoozed keys</h1>
          {all.data !== null && all.data.length > 0 && (
            <span class="faint">
              {plural(all.data.length, 'snooze')}
              {all.data.length > 1 && ', the first to end first'}
            </span>
          )}
        </div>
        <p class="soft">
          Their open alerts count as snoozed. Detection, the topic of alerts and sinks know nothing of it.
        </p>
      </header>
      <section class="panel" aria-label="List of snoozes">
        <Loaded of={all}>
          {(items) =>
            items.length === 0 ? (
              <Empty title="No key is snoozed">
                <p>An alert’s page snoozes its key, for its pattern.</p>
                <a class="button" href={to(['alerts'])}>
                  To the alerts
                </a>
              </Empty>
            ) : (
              <ScrollX label="Table of snoozes">
                <table class="table">
                  <thead>
                    <tr>
                      <th scope="col">Key</th>
                      <th scope="col">Pattern</th>
                      <th scope="col">Ends</th>
                      <th scope="col">
                        <span class="unseen">Actions</span>
                      </th>
                      <th scope="col">By</th>
                      <th scope="col">Why</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((snooze) => (
                      <Row key={snooze.id} snooze={snooze} now={now} onEnded={all.reload} />
                    ))}
                  </tbody>
                </table>
              </ScrollX>
            )
          }
        </Loaded>
      </section>
    </div>
  );
}

interface RowProps {
  readonly snooze: Snooze;
  readonly now: number;
  readonly onEnded: () => void;
}

function Row({ snooze: { id, key, pattern, until, reason, author, at }, now, onEnded }: RowProps) {
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      await endSnooze(id);
      say(`${key} is not snoozed any more.`);
      onEnded();
    } catch (error) {
      setBusy(false);
      say((error as Error).message, 'critical');
    }
  };
  return (
    <tr class="snooze">
      <td class="nowrap">
        <a class="mono linked" href={to(['alerts'], { key })}>
          {key}
        </a>
      </td>
      <td>
        {pattern === null ? (
          <span class="faint">all patterns</span>
        ) : (
          <a class="mono linked" href={to(['patterns', pattern])}>
            {pattern}
          </a>
        )}
      </td>
      <td class="nowrap">
        in {duration(Math.max(0, until - now))}{' '}
        <span class="ends faint">
          <Time ms={until} />
        </span>
      </td>
      <td>
        <button type="button" class="button" disabled={busy} aria-label={`End the snooze of ${key}`} onClick={end}>
          End
        </button>
      </td>
      <td>
        {author}{' '}
        <span class="faint">
          <Time ms={at} />
        </span>
      </td>
      <td>{reason || <span class="faint">–</span>}</td>
    </tr>
  );
}
