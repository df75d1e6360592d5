import type { Differing, Parity } from '../../../backtest/verify/parity.js';
import { grouped } from '../files.js';

const momentOf = (time: number): string => new Date(time).toISOString();

/** What is told of alerts that a service has committed, a line or more; `null`: there are none of these rules. */
export function parityLine(live: Parity | null): string | null {
  if (live === null) return null;
  return [headline(live), ...limits(live), ...(live.equal ? [] : named(live))].join('\n');
}

function headline({ equal, alertsLive, alertsReplayed, live, replayed }: Parity): string {
  return equal
    ? `Parity: equal, ${grouped(alertsLive)} alerts of the service, digest ${live}.`
    : `Parity: not equal. The service committed ${grouped(alertsLive)} alerts, digest ${live}; the back-test found ${grouped(alertsReplayed)}, digest ${replayed}.`;
}

function limits({ notCompared, comparedUpTo }: Parity): string[] {
  if (comparedUpTo === null) return [];
  return [
    `Left out: ${grouped(notCompared)} that one side alone has, of rules that see several partitions merged, after ${momentOf(comparedUpTo)}, which not all partitions have passed.`,
  ];
}

function named({ differences }: Parity): string[] {
  if (differences === null) return ['There are too many alerts to keep them: stakeout verify tells which differ.'];
  return [
    ...those('The service alone has', differences.liveAlone),
    ...those('The back-test alone has', differences.replayedAlone),
    ...those('Both have, with another score, message, key or time,', differences.unlike),
    'Rules or lists that changed within the range, or the clock of an idle partition, may be why: stakeout verify follows the journal.',
  ];
}

function those(who: string, { count, first }: Differing): string[] {
  if (count === 0) return [];
  const names = first.map(
    ({ id, patternId, key, detectedAt }) => `${patternId} ${key} ${momentOf(detectedAt)} (${id})`,
  );
  const more = count > first.length ? ` and ${grouped(count - first.length)} more` : '';
  return [`${who} ${names.join('; ')}${more}.`];
}
