import type { Outcome, Round } from './campaign.js';
import type { Delivery } from './settings.js';
import type { Judgement } from './stage.js';

/** What is wrong, in words; nothing when the run kept its promise. */
export function differences(outcome: Judgement, delivery: Delivery): readonly string[] {
  const { source, missing, unexpected, repeats, otherIds, late, replays, problems } = outcome;
  const found: string[] = [...problems];
  const none = (count: number, what: string): void => {
    if (count > 0) found.push(`${count} ${what}`);
  };
  none(source.lost, 'acknowledged records are not on the topic');
  none(source.doubled, 'records are on the topic twice');
  none(missing.length, `alerts are missing, such as ${missing.slice(0, 5).join(', ')}`);
  none(unexpected.length, `alerts should not be there, such as ${unexpected.slice(0, 5).join(', ')}`);
  none(otherIds.length, `alerts are there under two ids, such as ${otherIds.slice(0, 5).join(', ')}`);
  none(late, 'records were late');
  if (delivery === 'exactly-once') none(repeats, 'alerts are there again');
  for (const replay of replays) {
    none(replay.missing.length, 'alerts are found by the replay alone');
    none(replay.unexpected.length, 'alerts are not found by the replay');
  }
  return found;
}

export function table(outcome: Outcome, delivery: Delivery): string {
  const { rounds } = outcome;
  const lines = [
    `${rounds.length} rounds, ${delivery}`,
    ...sums(outcome),
    '',
    `  ${'fault'.padEnd(26)} times  longest standstill of a partition, and until all was well (s)`,
    ...kindsOf(rounds).map(([kind, of]) => line(kind, of)),
  ];
  return [...lines, '', ...verdict(outcome, delivery)].join('\n');
}

/** Whether it kept its promise, as lines. */
export function verdict(outcome: Judgement, delivery: Delivery): readonly string[] {
  const wrong = differences(outcome, delivery);
  return wrong.length === 0 ? ['No difference.'] : wrong.map((text) => `WRONG: ${text}`);
}

/** What was sent, found and replayed, as lines. */
export function sums({
  source,
  sent,
  expected,
  found,
  repeats,
  missing,
  unexpected,
  replays,
}: Judgement): readonly string[] {
  const n = (count: number): string => count.toLocaleString('en-US');
  return [
    `  records   ${n(sent)} sent and acknowledged; ${n(source.records)} on the topic, ${n(source.lost)} lost, ${n(source.doubled)} doubled`,
    `  alerts    ${n(expected)} expected, ${n(found)} found; ${n(missing.length)} lost, ${n(unexpected.length)} too many, ${n(repeats)} repeats`,
    ...replays.map(
      (replay) =>
        `  replay    ${n(replay.records)} records: ${n(replay.alertsReplayed)} alerts, committed ${n(replay.alertsLive)}; ${replay.equal ? 'the same' : 'NOT the same'} (${replay.replayed.slice(0, 12)})`,
    ),
  ];
}

/** Rounds with this fault; their times count for the kind only where it was alone. */
function kindsOf(rounds: readonly Round[]): readonly (readonly [string, readonly Round[]])[] {
  const kinds = [...new Set(rounds.flatMap(({ faults }) => faults))].sort();
  const several = rounds.filter(({ faults }) => faults.length > 1);
  const byKind = kinds.map((kind) => [kind, rounds.filter(({ faults }) => faults.includes(kind))] as const);
  return several.length === 0 ? byKind : [...byKind, ['two at once', several]];
}

function line(kind: string, rounds: readonly Round[]): string {
  const times = rounds.flatMap(({ faults }) => faults).filter((fault) => fault === kind).length;
  const counted = kind === 'two at once' ? rounds : rounds.filter(({ faults }) => faults.length === 1);
  const most = (of: (round: Round) => number): string =>
    counted.length === 0 ? '-' : (Math.max(...counted.map(of)) / 1000).toFixed(1);
  return `  ${kind.padEnd(26)} ${String(times || rounds.length).padStart(5)}  ${most((round) => round.stoodMs).padStart(8)} ${most((round) => round.tookMs).padStart(8)}`;
}
