import * as api from '../api/calls.js';
import type { Alert } from '../api/types.js';
import { useResource } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Loaded, Panel, SeverityBadge, Time } from '../parts/basics.js';

const SHOWN = 8;

/** Other alerts of the same key, the newest first. */
export function Related({ alert, now }: { readonly alert: Alert; readonly now: number }) {
  const related = useResource((signal) => api.alerts({ key: alert.key, limit: SHOWN + 1 }, signal), [alert.key]);
  return (
    <Panel
      title="Other alerts of this key"
      actions={
        <a class="button plain" href={to(['alerts'], { key: alert.key })}>
          All
        </a>
      }
      bare
    >
      <Loaded of={related}>
        {({ items }) => {
          const others = items.filter(({ id }) => id !== alert.id).slice(0, SHOWN);
          if (others.length === 0) return <p class="body faint">None among those that are kept.</p>;
          return (
            <ul class="related">
              {others.map((other) => (
                <li key={other.id}>
                  <a href={to(['alerts', other.id])}>
                    <SeverityBadge severity={other.severity} score={other.score} />
                    <span class="cut grow">{other.title}</span>
                    <span class="faint">
                      <Time ms={other.detectedAt} now={now} />
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}
