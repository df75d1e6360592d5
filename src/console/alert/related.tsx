import type { AlertDetail } from '../api/types.js';
import { to } from '../lib/router.js';
import { Panel, SeverityBadge, Time } from '../parts/basics.js';

const SHOWN = 8;

/** Other alerts of the same key, the newest first. */
export function Related({ alert, now }: { readonly alert: AlertDetail; readonly now: number }) {
  const others = alert.related.slice(0, SHOWN);
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
      {others.length === 0 ? (
        <p class="body faint">None among those that are kept.</p>
      ) : (
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
      )}
    </Panel>
  );
}
