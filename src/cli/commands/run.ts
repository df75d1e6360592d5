import { createWriteStream } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { type FileStream, openStreams, RunError, type RunResult, runFiles } from '../../backtest/run-files.js';
import { RecordFileError } from '../../connectors/file/file-error.js';
import { formatDiagnostic, loadRules, type Rule } from '../../rules/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { type RuleOptions, ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity } from '../rules.js';
import { settingsOrFail } from '../settings.js';

export interface RunCommandOptions {
  readonly config: string;
  readonly data?: string;
  readonly patterns?: string;
  readonly out?: string;
}

const BAD_ROWS_SHOWN = 5;
const ALERTS_SHOWN = 10;

/** Files through the engine, alerts out. */
export async function run(options: RunCommandOptions, output: Output): Promise<number> {
  const settings = settingsOrFail(options.config);
  const base = dirname(resolve(options.config));
  const streams = await openOrFail(() => openStreams(settings, options.data, (path) => relative(base, path)));
  try {
    const rules = await rulesOrFail(options.patterns ?? settings.patterns, streams, output);
    const result = await runShown(streams, rules, options, output, ruleOptionsOf(settings.engine));
    output.result(result, () => summary(result, options));
    return 0;
  } finally {
    for (const stream of streams) await stream.file.close();
  }
}

async function openOrFail<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RecordFileError || error instanceof RunError)
      throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

async function rulesOrFail(path: string, streams: readonly FileStream[], output: Output): Promise<readonly Rule[]> {
  const { rules, diagnostics } = await loadRules([path], { schemas: streams.map((s) => s.schema) });
  const { errors, warnings } = bySeverity(diagnostics);
  for (const warning of warnings) output.say(formatDiagnostic(warning));
  if (errors.length > 0) throw new CommandError(errors.map(formatDiagnostic).join('\n\n'));
  const running = rules.filter((rule) => rule.status === 'live' || rule.status === 'shadow');
  if (running.length === 0) throw new CommandError(`There is no live or shadow rule in ${path}.`);
  return running;
}

async function runShown(
  streams: readonly FileStream[],
  rules: readonly Rule[],
  options: RunCommandOptions,
  output: Output,
  ruleOptions: RuleOptions,
): Promise<RunResult> {
  const sink = options.out === undefined ? null : createWriteStream(options.out);
  let shown = 0;
  let bad = 0;
  const onAlert = (alert: Alert): void => {
    if (sink !== null) sink.write(`${JSON.stringify(alert)}\n`);
    else if (!output.json && shown++ < ALERTS_SHOWN) {
      output.progress('');
      output.say(
        `${new Date(alert.detectedAt).toISOString()}  ${alert.severity.padEnd(8)}  ${alert.patternId}  ${alert.keyField} ${alert.key}: ${alert.message}`,
      );
    }
  };
  const started = performance.now();
  const result = await openOrFail(() =>
    runFiles(
      streams,
      rules,
      {
        onAlert,
        onProgress: (fraction, events) =>
          output.progress(progressLine(fraction, events, (performance.now() - started) / 1000)),
        onBadRow: (file, row, failure) => {
          if (bad++ < BAD_ROWS_SHOWN) output.say(`${file}, row ${row}: ${failure.detail} [${failure.reason}]`);
        },
      },
      () => performance.now() / 1000,
      ruleOptions,
    ),
  );
  output.progress('');
  if (sink !== null) {
    sink.end();
    await finished(sink);
  }
  return result;
}

const BAR = 30;
const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');
const counted = (n: number, what: string): string => `${grouped(n)} ${what}${n === 1 ? '' : 's'}`;

function progressLine(fraction: number, events: number, seconds: number): string {
  const done = Math.round(Math.min(1, fraction) * BAR);
  const left = fraction > 0 ? (seconds * (1 - fraction)) / fraction : 0;
  return `${'█'.repeat(done)}${'░'.repeat(BAR - done)} ${Math.round(fraction * 100)} %  ${grouped(events)} events  ${grouped(events / Math.max(seconds, 0.001))}/s  ${left.toFixed(0)} s left`;
}

function summary(result: RunResult, options: RunCommandOptions): string {
  const lines = [
    `${counted(result.events, 'event')} in ${result.seconds.toFixed(2)} s (${grouped(result.eventsPerSecond)} events/s), ${counted(result.alerts, 'alert')}, ${grouped(result.late)} late, ${counted(result.badRows, 'bad row')}`,
    ...Object.entries(result.byPattern).map(([id, n]) => `  ${id}: ${grouped(n)}`),
    `digest ${result.digest}`,
  ];
  if (options.out !== undefined) lines.push(`alerts written to ${options.out}`);
  else if (result.alerts > ALERTS_SHOWN)
    lines.push(`the first ${ALERTS_SHOWN} alerts are shown; --out FILE writes all`);
  return lines.join('\n');
}
