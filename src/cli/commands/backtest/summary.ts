import type { Comparison } from '../../../backtest/compare.js';
import type { Measured, Sweep } from '../../../backtest/measure.js';
import { timeOf } from '../../../backtest/report/html.js';
import type { BacktestResult } from '../../../backtest/result.js';
import { grouped } from '../files.js';

const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const signed = (value: number): string => (value >= 0 ? '+' : '') + value.toFixed(3);

/** The result for people, in lines. */
export function summary({ verdicts, comparison, sweep }: Measured, result: BacktestResult): string[] {
  const { range } = result;
  return [
    `${grouped(result.events)} events in ${result.seconds.toFixed(2)} s (${grouped(result.eventsPerSecond)} events/s); ${grouped(result.scored)} scored, ${range.from ?? 'from the first'} to ${range.to ?? 'the last'}`,
    `${grouped(result.alerts)} alerts accuse ${grouped(verdicts.accused.length)} of them, ${result.workload.alertsMean.toFixed(1)} alerts a day (at most ${grouped(result.workload.alertsMax)})`,
    ...detectionLines(result),
    ...delayLines(result),
    ...workLines(result),
    ...scenarioLines(result),
    ...ruleLines(result),
    ...(comparison === null ? [] : comparisonLines(comparison)),
    ...(sweep === null ? [] : sweepLines(sweep)),
    `digest ${result.digest}`,
  ];
}

function detectionLines({ detection, topK, ...result }: BacktestResult): string[] {
  if (detection === null) return ['There are no labels: backtest.labels.file, or --labels FILE.'];
  const { truePositives, falsePositives, frauds, falsePerTrue } = detection;
  const lines = [
    `precision ${shown(result.precision)}  recall ${shown(result.recall)}  F1 ${shown(result.f1)}  average precision ${shown(result.averagePrecision)}  ROC AUC ${shown(result.rocAuc)}`,
    `${grouped(truePositives)} of ${grouped(frauds)} frauds, ${grouped(falsePositives)} false (${falsePerTrue === null ? '–' : falsePerTrue.toFixed(2)} for each true one)`,
  ];
  if (topK === null) return lines;
  const cards = topK.cards === null ? '' : `, cards ${shown(topK.cards)} (at best ${shown(topK.cardsAtBest)})`;
  return [...lines, `precision among the first ${topK.k} a day: transactions ${shown(topK.transactions)}${cards}`];
}

function delayLines({ delay }: BacktestResult): string[] {
  if (delay === null || delay.noticed === 0) return [];
  const events = Math.ceil(delay.eventsMedian ?? 0);
  const transactions = events === 1 ? 'the first transaction' : `${events} transactions`;
  const lines = [
    `${grouped(delay.noticed)} of ${grouped(delay.episodes)} cases noticed, half of them within ${transactions} and within ${timeOf(delay.minutesMedian)}`,
  ];
  if (delay.money !== null)
    lines.push(
      `money: ${grouped(delay.money.accused)} of ${grouped(delay.money.atStake)} accused, ${grouped(delay.money.saved)} came after the first alert of its case`,
    );
  return lines;
}

/** Against what the analysts can do and what it costs, where the settings say so. */
function workLines({ workload: { capacity, days }, cost }: BacktestResult): string[] {
  const work =
    capacity === null
      ? []
      : [
          `more than ${grouped(capacity.perDay)} alerts on ${grouped(capacity.daysAbove)} of ${grouped(days)} days; at worst ${grouped(capacity.backlogMax)} are left over`,
        ];
  if (cost === null) return work;
  const { threshold } = cost.best;
  const from = Number.isFinite(threshold) ? `a score of ${threshold.toFixed(1)} or more` : 'no alert looked into';
  return [
    ...work,
    `cost: ${grouped(cost.withoutRules)} without rules, ${grouped(cost.asItIs)} with all alerts looked into, at best ${grouped(cost.best.cost)} (${from})`,
  ];
}

const scenarioLines = ({ byScenario }: BacktestResult): string[] =>
  Object.entries(byScenario).map(
    ([name, { frauds, found, recall }]) =>
      `  scenario ${name}: ${grouped(found)} of ${grouped(frauds)}, recall ${shown(recall)}`,
  );

const ruleLines = ({ byRule }: BacktestResult): string[] =>
  Object.entries(byRule).map(([id, { accused, truePositives, precision, recall, onlyTruePositives, marginal }]) => {
    if (precision === null) return `  ${id}: accuses ${grouped(accused)}`;
    const more = marginal === null ? '' : `, ${grouped(onlyTruePositives)} frauds it alone, F1 ${signed(marginal.f1)}`;
    return `  ${id}: accuses ${grouped(accused)}, ${grouped(truePositives)} rightly, precision ${shown(precision)}, recall ${shown(recall)}${more}`;
  });

function comparisonLines({ baseline, difference, intervals, ...rest }: Comparison): string[] {
  const figures = (['precision', 'recall', 'f1'] as const).map((name) => {
    const { low, high } = intervals[name];
    return `${name} ${shown(baseline[name])} ${signed(difference[name])} (${signed(low)} to ${signed(high)})`;
  });
  const of = (what: string, { accused, truePositives }: { accused: number; truePositives: number }): string =>
    `${grouped(accused)} ${what} (${grouped(truePositives)} frauds)`;
  return [
    `against the baseline: ${figures.join(', ')}`,
    `  accused: ${of('new', rest.new)}, ${of('lost', rest.lost)}, ${of('common', rest.common)}`,
  ];
}

function sweepLines({ points, chosen, best }: Sweep): string[] {
  return points.map((point, index) => {
    const values = Object.entries(point.values).map(([name, value]) => `${name}=${value}`);
    const money = point.moneyAccused === null ? '' : `  money ${grouped(point.moneyAccused)}`;
    const cost = point.cost === null ? '' : `  cost ${grouped(point.cost)}`;
    const marks = [index === chosen ? 'as it is' : '', index === best ? 'best' : ''].filter(Boolean).join(', ');
    return `  ${values.join(' ')}: precision ${shown(point.precision)}  recall ${shown(point.recall)}  F1 ${shown(point.f1)}  alerts ${grouped(point.alerts)}${money}${cost}${marks === '' ? '' : `  ← ${marks}`}`;
  });
}
