import type { Parity } from '../../../backtest/parity.js';
import { grouped } from '../files.js';

/** What is told of alerts that a service has committed; `null`: there are none of these rules. */
export function parityLine(live: Parity | null): string | null {
  if (live === null) return null;
  const { equal, alertsLive, alertsReplayed } = live;
  if (equal) return `Parity: equal, ${grouped(alertsLive)} alerts of the service, digest ${live.live}.`;
  return `Parity: not equal. The service committed ${grouped(alertsLive)} alerts, digest ${live.live}; the back-test found ${grouped(alertsReplayed)}, digest ${live.replayed}. stakeout verify tells which differ.`;
}
