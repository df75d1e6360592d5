import { DAY_MS } from '../findings/population.js';
import type { Measured } from '../measure.js';
import { share as ratio } from '../metrics/detection.js';
import { thinned } from '../metrics/thinned.js';
import { comparisonPart, sweepPart } from './changes.js';
import { barChart, lineChart } from './chart.js';
import { bar, escaped, grouped, moment, paragraph, section, share, signed, table, timeOf } from './html.js';
import { samples } from './samples.js';
import { STYLE } from './style.js';

const POINTS_MAX = 400;

/** What a report says beside the figures. */
export interface ReportContext {
  readonly title: string;
  /** A line or more on whether the live alerts of the range are the same; `null`: nothing to compare with. */
  readonly parity: string | null;
}

/** The whole report as one HTML document, which needs nothing but itself. The same input gives the same bytes, but for the time it took. */
export function reportOf(measured: Measured, context: ReportContext): string {
  const parts = [
    tiles(measured),
    rankingPart(measured),
    scenarioPart(measured),
    rulesPart(measured),
    workPart(measured),
    delayPart(measured),
    costPart(measured),
    comparisonPart(measured),
    sweepPart(measured),
    samples(measured),
    runPart(measured, context),
  ];
  const title = escaped(`Back-test of ${context.title}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>${paragraph(rangeOf(measured))}${parts.join('\n')}</main></body></html>
`;
}

function rangeOf({ done, verdicts }: Measured): string {
  const { from, to, profile } = done.protocol;
  const begin = Number.isFinite(from) ? moment(from) : 'the first event';
  const end = Number.isFinite(to) ? moment(to) : 'the last event';
  const of = profile === null ? '' : `, profile ${profile}`;
  return `${grouped(verdicts.size)} scored, from ${begin} to ${end}${of}. ${counted(done.plan.sets[0].rules.length, 'rule')} over ${counted(done.run.events, 'event')}.`;
}

const counted = (n: number, what: string): string => `${grouped(n)} ${what}${n === 1 ? '' : 's'}`;

function tiles({ evaluation, verdicts, workload }: Measured): string {
  const tile = (name: string, value: string): string =>
    `<div class="tile"><b>${escaped(value)}</b><span>${escaped(name)}</span></div>`;
  const own = [tile('alerts', grouped(verdicts.alerts.length)), tile('alerts a day', workload.alertsMean.toFixed(1))];
  if (evaluation === null) return `<div class="tiles">${own.join('')}</div>${paragraph('There are no labels.')}`;
  const { detection, intervals, topK } = evaluation;
  const between = ({ low, high }: { low: number; high: number }): string => ` (${share(low)} to ${share(high)})`;
  const top = topK === null ? [] : [tile(`precision, first ${topK.k} a day`, share(topK.transactions))];
  const cards =
    topK?.cards == null ? [] : [tile(`the same of cards (at best ${share(topK.cardsAtBest)})`, share(topK.cards))];
  const all = [
    tile(`precision${between(intervals.precision)}`, share(detection.precision)),
    tile(`recall${between(intervals.recall)}`, share(detection.recall)),
    tile(`F1${between(intervals.f1)}`, share(detection.f1)),
    tile('average precision', share(evaluation.averagePrecision)),
    tile('ROC AUC', share(evaluation.rocAuc)),
    tile(`frauds found, of ${grouped(detection.frauds)}`, grouped(detection.truePositives)),
    tile('false for each true one', detection.falsePerTrue === null ? '–' : detection.falsePerTrue.toFixed(2)),
    ...[...top, ...cards, ...own],
  ];
  return `<div class="tiles">${all.join('')}</div>`;
}

function rankingPart({ evaluation, verdicts }: Measured): string {
  if (evaluation === null) return '';
  const { detection } = evaluation;
  if (detection.frauds === 0)
    return section('Precision and recall by score', paragraph('The labels name no fraud in the scored range.'));
  const curve = thinned(evaluation.curve, POINTS_MAX);
  const points = curve.map(({ recall, precision }) => [recall, precision] as const);
  const precisionByRecall = lineChart({
    ...{
      x: 'recall (share of the frauds that is found)',
      y: 'precision (share of the accused that is fraud)',
      unit: true,
    },
    series: [{ name: 'by score', points: [[0, points[0]?.[1] ?? 0], ...points] }],
    marks: [{ at: [detection.recall, detection.precision], text: 'all alerts' }],
  });
  const genuine = verdicts.size - detection.frauds;
  const falseShare = (accused: number, found: number): number => ratio(accused - found, genuine);
  const roc = lineChart({
    ...{ x: 'share of the genuine that is accused', y: 'share of the frauds that is found', unit: true },
    series: [
      {
        name: 'by score',
        points: [
          [0, 0],
          ...curve.map((point) => [falseShare(point.accused, point.truePositives), point.recall] as const),
        ],
      },
    ],
    marks: [{ at: [falseShare(detection.accused, detection.truePositives), detection.recall], text: 'all alerts' }],
  });
  const words = `Each point is a score from which on alerts are looked into. Average precision ${share(evaluation.averagePrecision)}; area under the second curve (ROC) ${share(evaluation.rocAuc)}.`;
  return section(
    'Precision and recall by score',
    paragraph(words),
    `<div class="charts">${precisionByRecall}${roc}</div>`,
  );
}

function scenarioPart({ evaluation }: Measured): string {
  const rows = Object.entries(evaluation?.byScenario ?? {}).map(([name, { frauds, found, recall, recallInterval }]) => [
    ...[name, grouped(frauds), grouped(found), bar(recall)],
    `${share(recallInterval.low)} to ${share(recallInterval.high)}`,
  ]);
  return rows.length === 0
    ? ''
    : section('By kind of fraud', table(['kind', 'frauds', 'found', 'recall', '95 %'], rows));
}

function rulesPart({ done, evaluation, verdicts }: Measured): string {
  const indices = done.plan.sets[0].rules;
  const ids = indices.map((index) => done.plan.rules[index]!.id);
  if (evaluation === null) {
    const rows = indices.map((index, place) => [
      ids[place]!,
      grouped(verdicts.alerts.filter((alert) => alert.rule === index).length),
    ]);
    return section('Rules', table(['rule', 'alerts'], rows));
  }
  const rows = evaluation.contributions.map((of, place) => [
    ...[ids[place]!, grouped(of.alertsAlone), grouped(of.alone.truePositives), share(of.alone.precision)],
    ...[bar(of.alone.recall), grouped(of.onlyTruePositives), grouped(of.onlyAccused - of.onlyTruePositives)],
    ...[signed(of.marginal.precision), signed(of.marginal.recall), signed(of.marginal.f1)],
  ]);
  const head = [
    'rule',
    'alerts alone',
    'frauds',
    'precision',
    'recall',
    'frauds it alone',
    'false it alone',
    'adds precision',
    'adds recall',
    'adds F1',
  ];
  const overlap = evaluation.overlap.map((row, place) => [ids[place]!, ...row.map(grouped)]);
  const matrix = ids.length < 2 ? '' : `<h3>Accused in common</h3>${table(['', ...ids], overlap, 'dense')}`;
  return section(
    'Rules',
    table(head, rows, 'dense'),
    paragraph('What a rule adds is what the whole set has more with it than without it.'),
    matrix,
  );
}

const NO_CAPACITY = 'backtest.capacity says how many alerts the analysts can look into a day: none is named.';
const NO_PRICE = 'backtest.price says what a false alert costs, and a missed fraud: none is named.';

function workPart({ workload, evaluation }: Measured): string {
  const { capacity } = workload;
  const bars = workload.byDay.map(({ day, alerts, right }) => ({
    label: new Date(day * DAY_MS).toISOString().slice(5, 10),
    value: alerts,
    part: evaluation === null ? 0 : right,
  }));
  const line =
    capacity === null ? {} : { line: { value: capacity.perDay, text: `${capacity.perDay} a day can be done` } };
  const words = `${workload.alertsMean.toFixed(1)} alerts a day, in the middle ${grouped(workload.alertsMedian)}, on one day in twenty ${grouped(workload.alerts95)} or more, at most ${grouped(workload.alertsMax)}.`;
  const against =
    capacity === null
      ? paragraph(NO_CAPACITY)
      : paragraph(
          `On ${capacity.daysAbove} of ${workload.days} days there are more than can be done; at worst ${grouped(capacity.backlogMax)} are left over.`,
        );
  const parts = evaluation === null ? null : (['rightly', 'wrongly'] as const);
  return section('Alerts a day', paragraph(words), against, barChart({ y: 'alerts', bars, parts, ...line }));
}

function delayPart({ evaluation }: Measured): string {
  const delay = evaluation?.delay ?? null;
  if (delay === null || delay.episodes === 0) return '';
  const number = (value: number | null, digits = 1): string => (value === null ? '–' : value.toFixed(digits));
  const rows = [
    ['cases that began in the range', grouped(delay.episodes)],
    ['of them noticed', grouped(delay.noticed)],
    ['transactions up to then, median', number(delay.eventsMedian)],
    ['transactions up to then, mean', number(delay.eventsMean, 2)],
    ['time up to then, median', timeOf(delay.minutesMedian)],
    ['time up to then, nine of ten within', timeOf(delay.minutes90)],
    ...(delay.money === null
      ? []
      : [
          ['money at stake', grouped(delay.money.atStake)],
          ['money of accused transactions', grouped(delay.money.accused)],
          ['money that came after the first alert of its case', grouped(delay.money.saved)],
        ]),
  ];
  return section('How soon', table(['', ''], rows));
}

function costPart({ evaluation }: Measured): string {
  const cost = evaluation?.cost ?? null;
  if (cost === null) return evaluation === null ? '' : section('Cost', paragraph(NO_PRICE));
  const lowest = cost.curve.at(-1)!.threshold;
  const xOf = (threshold: number): number => (Number.isFinite(threshold) ? threshold : 100);
  const points = thinned(cost.curve, POINTS_MAX).map((point) => [xOf(point.threshold), point.cost] as const);
  const words = `Without rules ${grouped(cost.withoutRules)}; with every alert looked into ${grouped(cost.asItIs)}; at best ${grouped(cost.best.cost)}, with a score of ${Number.isFinite(cost.best.threshold) ? cost.best.threshold.toFixed(1) : 'more than any'} or more.`;
  const chart = lineChart({
    ...{ x: `score from which on alerts are looked into (${lowest.toFixed(0)}: all)`, y: 'cost' },
    series: [{ name: 'cost', points }],
    marks: [{ at: [xOf(cost.best.threshold), cost.best.cost], text: 'best' }],
  });
  return section('Cost', paragraph(words), chart);
}

function runPart({ done }: Measured, { parity }: ReportContext): string {
  const { run } = done;
  const lines = [
    `${counted(run.events, 'event')} in ${run.seconds.toFixed(2)} s, ${grouped(run.eventsPerSecond)} a second; ${grouped(run.late)} late, ${grouped(run.badRows)} unreadable.`,
    ...(parity?.split('\n') ?? [
      'The digest is that of the alerts that were complete in the range: stakeout verify gives the same for a live run over the same records and rules.',
    ]),
  ];
  return section('The run', ...lines.map(paragraph), `<p>Digest of the alerts: <code>${run.digest}</code></p>`);
}
