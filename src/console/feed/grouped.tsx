import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import { number, plural } from '../lib/format.js';
import { useNow, useResource } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, SeverityBadge, Time } from '../parts/basics.js';
import { ScrollX } from '../parts/scroll-x.js';

const EVERY_MS = 5_000;

/** Repeats: alerts of one key and pattern together, asked for anew every few seconds. */
export function Grouped({ filter }: { readonly filter: api.AlertFilter }) {
  const now = useNow(EVERY_MS);
  const [limit, setLimit] = useState(100);
  const key = JSON.stringify(filter);
  useEffect(() => setLimit(100), [key]);
  const groups = useResource((signal) => api.alertGroups({ ...filter, limit }, signal), [key, limit], EVERY_MS);
  return (
    <section class="panel" aria-label="Repeats">
      <Loaded of={groups}>
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            <Empty title="No alerts here" />
          ) : (
            <>
              <ScrollX label="Table of repeats">
                <table class="table">
                  <thead>
                    <tr>
                      <th scope="col">Key</th>
                      <th scope="col">Pattern, and its newest alert</th>
                      <th scope="col" class="end">
                        Alerts
                      </th>
                      <th scope="col" class="end">
                        Open
                      </th>
                      <th scope="col">Severity</th>
                      <th scope="col">First</th>
                      <th scope="col">Last</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map(({ key: of, patternId, count, open, scoreMax, firstAt, lastAt, last }) => (
                      <tr key={`${of} ${patternId}`} class="goes">
                        <td class="mono nowrap">
                          <a href={to(['alerts'], { key: of, pattern: patternId })}>{of}</a>
                        </td>
                        <td class="name-cell">
                          <a href={to(['alerts', last.id])}>{last.title}</a>
                          <div class="faint">{last.message}</div>
                        </td>
                        <td class="end number">{number(count)}</td>
                        <td class="end number">{number(open)}</td>
                        <td>
                          <SeverityBadge severity={last.severity} score={scoreMax} />
                        </td>
                        <td>
                          <Time ms={firstAt} now={now} />
                        </td>
                        <td>
                          <Time ms={lastAt} now={now} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </ScrollX>
              {nextCursor !== null && limit < 1000 && (
                <p class="body">
                  <button type="button" class="button" onClick={() => setLimit(1000)}>
                    More than {plural(items.length, 'group')}
                  </button>
                </p>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}
