import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Backtest, backtest } from '../../backtest/backtest.js';
import { type Protocol, protocolOf } from '../../backtest/protocol.js';
import { type BacktestResult, resultOf } from '../../backtest/result.js';
import { openStreams } from '../../backtest/run-files.js';
import type { Settings } from '../../runtime/settings/index.js';
import { parseTimestamp } from '../../runtime/settings/values.js';
import { ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';
import { badRowPrinter, grouped, openOrFail, progressLine, rulesOrFail } from './files.js';

export interface BacktestOptions {
  readonly config: string;
  readonly data?: string;
  readonly patterns?: string;
  readonly profile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly labels?: string;
  readonly minPrecision?: string;
  readonly minRecall?: string;
}

/** History through the engine, measured by labels. 1: a threshold was not reached. */
export async function backtestCommand(options: BacktestOptions, output: Output): Promise<number> {
  const settings = settingsOrFail(options.config);
  const base = dirname(resolve(options.config));
  const protocol = await openOrFail(async () => protocolFor(settings, base, options));
  const thresholds = { precision: shareOf(options, 'minPrecision'), recall: shareOf(options, 'minRecall') };
  const streams = await openOrFail(() => openStreams(settings, options.data, (path) => relative(base, path)));
  try {
    const rules = await rulesOrFail(options.patterns ?? settings.patterns, streams, output);
    const now = (): number => performance.now() / 1000;
    const started = now();
    const done = await openOrFail(() =>
      backtest(
        streams,
        rules,
        protocol,
        {
          onProgress: (fraction, events) => output.progress(progressLine(fraction, events, now() - started)),
          onBadRow: badRowPrinter(output),
        },
        now,
        ruleOptionsOf(settings.engine),
      ),
    );
    output.progress('');
    const result = resultOf(done);
    const failures = below(result, thresholds);
    output.result({ ...result, failures }, () => [...summary(done, result), ...failures].join('\n'));
    return failures.length === 0 ? 0 : 1;
  } finally {
    for (const stream of streams) await stream.file.close();
  }
}

function protocolFor(settings: Settings, base: string, options: BacktestOptions): Protocol {
  const { profile, data } = options;
  const protocol = protocolOf(settings, {
    ...(profile === undefined ? {} : { profile }),
    ...momentOf(options, 'from'),
    ...momentOf(options, 'to'),
  });
  const { labels } = protocol;
  if (options.labels !== undefined) {
    const id = labels?.id ?? protocol.idField ?? 'id';
    return { ...protocol, labels: { ...(labels ?? { id }), file: resolve(options.labels) } };
  }
  if (labels === null || data === undefined) return protocol;
  const name = relative(base, labels.file);
  return { ...protocol, labels: { ...labels, file: isAbsolute(name) ? labels.file : join(data, name) } };
}

function momentOf(options: BacktestOptions, name: 'from' | 'to'): { from?: number; to?: number } {
  const text = options[name];
  if (text === undefined) return {};
  const time = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (time !== undefined) return { [name]: time };
  throw new CommandError(
    `--${name} takes a time such as 2026-01-31T00:00:00Z, or milliseconds since 1970, not ${text}.`,
  );
}

function shareOf(options: BacktestOptions, name: 'minPrecision' | 'minRecall'): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  const flag = name === 'minPrecision' ? '--min-precision' : '--min-recall';
  throw new CommandError(`${flag} takes a number from 0 to 1, not ${text}.`);
}

/** What is below the thresholds, in words. Without labels nothing reaches a threshold. */
function below(result: BacktestResult, thresholds: { precision?: number; recall?: number }): string[] {
  return (['precision', 'recall'] as const).flatMap((name) => {
    const least = thresholds[name];
    const value = result[name];
    if (least === undefined || (value !== null && value >= least)) return [];
    return [
      `${name} is ${value === null ? 'not known: there are no labels' : value.toFixed(4)}, and must be ${least}.`,
    ];
  });
}

const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(3));

function summary({ run, rules, verdicts }: Backtest, result: BacktestResult): string[] {
  const { range, detection, topK, byScenario, byRule } = result;
  const lines = [
    `${grouped(run.events)} events in ${run.seconds.toFixed(2)} s (${grouped(run.eventsPerSecond)} events/s); ${grouped(result.scored)} scored, ${range.from ?? 'from the first'} to ${range.to ?? 'the last'}`,
    `${grouped(result.alerts)} alerts accuse ${grouped(verdicts.accused.length)} of them`,
  ];
  if (detection !== null) {
    const { truePositives, falsePositives, frauds, falsePerTrue } = detection;
    lines.push(
      `precision ${shown(result.precision)}  recall ${shown(result.recall)}  F1 ${shown(result.f1)}  average precision ${shown(result.averagePrecision)}  ROC AUC ${shown(result.rocAuc)}`,
      `${grouped(truePositives)} of ${grouped(frauds)} frauds, ${grouped(falsePositives)} false (${falsePerTrue === null ? '–' : falsePerTrue.toFixed(2)} for each true one)`,
    );
  }
  if (topK !== null) {
    const cards = topK.cards === null ? '' : `, cards ${shown(topK.cards)} (at best ${shown(topK.cardsAtBest)})`;
    lines.push(`precision among the first ${topK.k} a day: transactions ${shown(topK.transactions)}${cards}`);
  }
  for (const [name, { frauds, found, recall }] of Object.entries(byScenario))
    lines.push(`  scenario ${name}: ${grouped(found)} of ${grouped(frauds)}, recall ${shown(recall)}`);
  for (const { id } of rules) {
    const { accused, truePositives, precision, recall } = byRule[id]!;
    lines.push(
      `  ${id}: accuses ${grouped(accused)}, ${grouped(truePositives)} rightly, precision ${shown(precision)}, recall ${shown(recall)}`,
    );
  }
  return [...lines, `digest ${run.digest}`];
}
