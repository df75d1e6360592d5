import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { backtest } from '../../backtest/backtest.js';
import { measure } from '../../backtest/measure.js';
import { type Protocol, protocolOf } from '../../backtest/protocol.js';
import { type BacktestResult, resultOf } from '../../backtest/result.js';
import { openStreams } from '../../backtest/run-files.js';
import { loadLists } from '../../runtime/lists/load-lists.js';
import type { Settings } from '../../runtime/settings/index.js';
import { parseTimestamp } from '../../runtime/settings/values.js';
import { ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';
import { plannedRules } from './backtest/rules.js';
import { summary } from './backtest/summary.js';
import { badRowPrinter, openOrFail, progressLine } from './files.js';

export interface BacktestOptions {
  readonly config: string;
  readonly data?: string;
  readonly patterns?: string;
  readonly profile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly labels?: string;
  /** Patterns to compare with. */
  readonly baseline?: string;
  readonly sweep?: readonly string[];
  readonly report?: string;
  readonly csv?: string;
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
    const lists = await openOrFail(() => loadLists(settings.lists));
    const rules = await plannedRules(options, settings, { streams, lists: lists.known }, output);
    const now = (): number => performance.now() / 1000;
    const started = now();
    const done = await openOrFail(() =>
      backtest(
        streams,
        rules.plan,
        protocol,
        {
          onProgress: (fraction, events) => output.progress(progressLine(fraction, events, now() - started)),
          onBadRow: badRowPrinter(output),
        },
        now,
        { ...ruleOptionsOf(settings.engine), lists },
      ),
    );
    output.progress('');
    const measured = measure(done, rules.sweep, rules.defaults);
    const result = resultOf(measured);
    const failures = below(result, thresholds);
    output.result({ ...result, failures }, () => [...summary(measured, result), ...failures].join('\n'));
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
