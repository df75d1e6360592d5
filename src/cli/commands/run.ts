import { createWriteStream } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { type FileStream, openStreams } from '../../backtest/run/file-streams.js';
import { type RunFilesOptions, runFiles } from '../../backtest/run/run-files.js';
import type { RunResult } from '../../backtest/run/run-options.js';
import type { Rule } from '../../rules/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { ruleOptionsOf } from '../../runtime/task/keyed/keyed-engine.js';
import { pseudonymsOf } from '../../service/compose/pseudonyms.js';
import { listsNow, sayUnread } from '../lists-now.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';
import { badRowPrinter, counted, grouped, loadOrFail, openOrFail, progressLine } from './files.js';

export interface RunCommandOptions {
  readonly config: string;
  readonly data?: string;
  readonly patterns?: string;
  readonly out?: string;
  /** File for near misses. */
  readonly nearMisses?: string;
}

const ALERTS_SHOWN = 10;

/** Files through the engine, alerts out. */
export async function run(options: RunCommandOptions, output: Output): Promise<number> {
  const settings = settingsOrFail(options.config);
  const base = dirname(resolve(options.config));
  const streams = await openOrFail(() =>
    openStreams(settings, { data: options.data, relative: (path) => relative(base, path) }),
  );
  try {
    const lists = await openOrFail(() => listsNow(settings));
    const { rules } = await loadOrFail(options.patterns ?? settings.patterns, { streams, lists: lists.known }, output);
    sayUnread(settings, rules, output);
    const result = await runShown(streams, rules, options, output, {
      ...{ ...ruleOptionsOf(settings.engine), lists },
      pseudonyms: pseudonymsOf(
        settings,
        streams.map(({ file }) => file.schema),
      ),
    });
    output.result(result, () => summary(result, options));
    return 0;
  } finally {
    for (const stream of streams) await stream.file.close();
  }
}

async function runShown(
  streams: readonly FileStream[],
  rules: readonly Rule[],
  options: RunCommandOptions,
  output: Output,
  runOptions: RunFilesOptions,
): Promise<RunResult> {
  const fileOf = (path: string | undefined) => (path === undefined ? null : createWriteStream(path));
  const [sink, missed] = [fileOf(options.out), fileOf(options.nearMisses)];
  let shown = 0;
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
        ...(missed && { onNearMiss: (nearMiss) => void missed.write(`${JSON.stringify(nearMiss)}\n`) }),
        onProgress: (fraction, events) =>
          output.progress(progressLine(fraction, events, (performance.now() - started) / 1000)),
        onBadRow: badRowPrinter(output),
      },
      () => performance.now() / 1000,
      runOptions,
    ),
  );
  output.progress('');
  for (const file of [sink, missed]) {
    if (file === null) continue;
    file.end();
    await finished(file);
  }
  return result;
}

function summary(result: RunResult, options: RunCommandOptions): string {
  const lines = [
    `${counted(result.events, 'event')} in ${result.seconds.toFixed(2)} s (${grouped(result.eventsPerSecond)} events/s), ${counted(result.alerts, 'alert')}, ${grouped(result.late)} late, ${counted(result.badRows, 'bad row')}${result.nearMisses > 0 ? `, ${counted(result.nearMisses, 'near miss', 'near misses')}` : ''}`,
    ...Object.entries(result.byPattern).map(([id, n]) => `  ${id}: ${grouped(n)}`),
    `digest ${result.digest}`,
  ];
  if (options.out !== undefined) lines.push(`alerts written to ${options.out}`);
  else if (result.alerts > ALERTS_SHOWN)
    lines.push(`the first ${ALERTS_SHOWN} alerts are shown; --out FILE writes all`);
  return lines.join('\n');
}
