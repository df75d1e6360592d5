import type { Changed, Comparison } from '../compare.js';
import type { Measured, Sweep, SweepPoint } from '../measure.js';
import { lineChart, type Mark } from './chart.js';
import { escaped, grouped, moment, paragraph, section, share, signed, table } from './html.js';

export function comparisonPart({ comparison, evaluation }: Measured): string {
  if (comparison === null || evaluation === null) return '';
  const { baseline, difference, intervals, common } = comparison;
  const figures = (['precision', 'recall', 'f1'] as const).map((name) => [
    name,
    share(baseline[name]),
    share(evaluation.detection[name]),
    signed(difference[name]),
    `${signed(intervals[name].low)} to ${signed(intervals[name].high)}`,
  ]);
  const counts = [
    ['new', grouped(comparison.new.accused), grouped(comparison.new.truePositives)],
    ['lost', grouped(comparison.lost.accused), grouped(comparison.lost.truePositives)],
    ['common', grouped(common.accused), grouped(common.truePositives)],
  ];
  return section(
    'Against the baseline',
    table(['', 'baseline', 'these rules', 'difference', '95 %'], figures),
    '<h3>Accused</h3>',
    table(['', 'accused', 'of them fraud'], counts),
    paragraph(rulesChanged(comparison)),
    changedPart('New', comparison.new),
    changedPart('Lost', comparison.lost),
    changedPart('Common', comparison.common),
  );
}

function rulesChanged({ rules }: Comparison): string {
  const parts = Object.entries(rules).flatMap(([what, ids]) => (ids.length === 0 ? [] : `${what}: ${ids.join(', ')}`));
  return parts.length === 0 ? 'The rules are the same.' : `Rules ${parts.join('; ')}.`;
}

function changedPart(name: string, { byRule, samples }: Changed): string {
  const rows = Object.entries(byRule).map(([id, { accused, truePositives }]) => [
    id,
    grouped(accused),
    grouped(truePositives),
  ]);
  if (rows.length === 0) return '';
  const shown = samples.map((one) => [
    one.id,
    moment(one.time),
    one.isFraud ? 'fraud' : 'genuine',
    one.rule,
    one.key,
    one.message,
  ]);
  return `<h3>${escaped(name)}, by rule</h3>${table(['rule', 'accused', 'of them fraud'], rows)}${table(['transaction', 'event time', 'is', 'rule', 'key', 'message'], shown)}`;
}

export function sweepPart({ sweep }: Measured): string {
  if (sweep === null) return '';
  const charts = [recallChart(sweep), moneyChart(sweep)];
  const rows = sweep.points.map((point, index) => {
    const marks = [index === sweep.chosen ? 'as it is' : '', index === sweep.best ? 'best' : ''].filter(Boolean);
    return [
      ...sweep.parameters.map((name) => point.values[name]!),
      ...[share(point.precision), share(point.recall), share(point.f1), share(point.averagePrecision)],
      ...[
        grouped(point.alerts),
        money(point.moneyAccused),
        money(point.moneySaved),
        money(point.cost),
        marks.join(', '),
      ],
    ];
  });
  const head = [
    'precision',
    'recall',
    'F1',
    'average precision',
    'alerts',
    'money accused',
    'after the first alert',
    'cost',
    '',
  ];
  return section('Sweep', `<div class="charts">${charts.join('')}</div>`, table([...sweep.parameters, ...head], rows));
}

const money = (value: number | null): string => (value === null ? '–' : grouped(value));

const isOf = (sweep: Sweep, of: (point: SweepPoint) => readonly [number, number]): readonly Mark[] => {
  const text = (point: SweepPoint): string =>
    Object.entries(point.values)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
  const chosen =
    sweep.chosen === null
      ? []
      : [{ at: of(sweep.points[sweep.chosen]!), text: `as it is: ${text(sweep.points[sweep.chosen]!)}` }];
  const best = sweep.points[sweep.best]!;
  return sweep.best === sweep.chosen ? chosen : [...chosen, { at: of(best), text: `best: ${text(best)}` }];
};

function recallChart(sweep: Sweep): string {
  const of = (point: SweepPoint): readonly [number, number] => [point.recall, point.precision];
  return lineChart({
    ...{ x: 'recall', y: 'precision', unit: true },
    series: [{ name: 'points', points: sweep.points.map(of) }],
    marks: isOf(sweep, of),
  });
}

function moneyChart(sweep: Sweep): string {
  if (sweep.points.some((point) => point.moneyAccused === null)) return '';
  const of = (point: SweepPoint): readonly [number, number] => [point.moneyAccused!, point.precision];
  return lineChart({
    ...{ x: 'money accused', y: 'precision' },
    series: [{ name: 'points', points: sweep.points.map(of) }],
    marks: isOf(sweep, of),
  });
}
