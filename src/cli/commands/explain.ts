import { dirname, relative, resolve } from 'node:path';
import { explainFiles } from '../../backtest/explain/explain-files.js';
import { openStreams } from '../../backtest/run/file-streams.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { showExplanation } from '../../runtime/explain/show.js';
import type { Settings } from '../../runtime/settings/index.js';
import { parseTimestamp } from '../../runtime/settings/values.js';
import { ruleOptionsOf } from '../../runtime/task/keyed/keyed-engine.js';
import { pseudonymsOf } from '../../service/compose/pseudonyms.js';
import { CommandError } from '../command-error.js';
import { listsNow, sayUnread } from '../lists-now.js';
import type { Output } from '../output.js';
import { bodyOf, problemOf, request, trimmed, urlOf } from '../service-client.js';
import { settingsOrFail } from '../settings.js';
import { badRowPrinter, loadOrFail, openOrFail, progressLine } from './files.js';

export interface ExplainCommandOptions {
  readonly key: string;
  readonly pattern: string;
  readonly at: string;
  readonly config?: string;
  readonly data?: string;
  readonly patterns?: string;
  /** The log also where the config names files. */
  readonly log?: boolean;
  /** URL of a running service. */
  readonly to?: string;
}

/**
 * Why a rule did not fire for a key at a time, or that it did: from the files that the config names, or else from the log. Exit status
 * 0: there is an answer.
 */
export async function explainCommand(options: ExplainCommandOptions, output: Output): Promise<number> {
  const at = timeOf(options.at);
  const explanation = await explained(at, options, output);
  output.progress('');
  output.result(explanation, () => showExplanation(explanation));
  return 0;
}

async function explained(at: number, options: ExplainCommandOptions, output: Output): Promise<Explanation> {
  const { key, pattern, to } = options;
  const asked = { key, pattern, at };
  if (to !== undefined) return askedOf(trimmed(to), asked);
  const config = options.config ?? process.env.STAKEOUT_CONFIG;
  const settings = settingsOrFail(config);
  const hasFiles = Object.values(settings.streams).some(({ file }) => file !== undefined);
  if (options.log !== true && (hasFiles || options.data !== undefined))
    return explainedFromFiles(settings, config, at, options, output);
  const { explainedFromLog } = await import('./explain/from-log.js');
  // The embedded log belongs to its process, which can be asked.
  return (await explainedFromLog(settings, asked, output)) ?? askedOf(urlOf(settings), asked);
}

async function askedOf(
  url: string,
  { key, pattern, at }: { readonly key: string; readonly pattern: string; readonly at: number },
): Promise<Explanation> {
  const query = new URLSearchParams({ key, pattern, at: String(at) });
  const response = await request(`${url}/v1/explanations?${query}`, 'GET');
  if (response.ok) return bodyOf<Explanation>(response);
  throw new CommandError((await problemOf(response)).detail);
}

async function explainedFromFiles(
  settings: Settings,
  config: string | undefined,
  at: number,
  { key, pattern, data, patterns }: ExplainCommandOptions,
  output: Output,
): Promise<Explanation> {
  const base = config === undefined ? process.cwd() : dirname(resolve(config));
  const streams = await openOrFail(() => openStreams(settings, { data, relative: (path) => relative(base, path) }));
  try {
    const lists = await openOrFail(() => listsNow(settings));
    const { rules } = await loadOrFail(
      patterns ?? settings.patterns,
      { streams, lists: lists.known },
      { ...output, say: () => undefined },
      { only: [pattern] },
    );
    sayUnread(settings, rules, output);
    const started = performance.now();
    return await openOrFail(() =>
      explainFiles(
        streams,
        { rule: rules[0]!, key, at },
        {
          ...ruleOptionsOf(settings.engine),
          lists,
          pseudonyms: pseudonymsOf(
            settings,
            streams.map(({ file }) => file.schema),
          ),
          listener: {
            onProgress: (fraction, events) =>
              output.progress(progressLine(fraction, events, (performance.now() - started) / 1000)),
            onBadRow: badRowPrinter(output),
          },
        },
      ),
    );
  } finally {
    for (const stream of streams) await stream.file.close();
  }
}

function timeOf(text: string): number {
  const time = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (time !== undefined) return time;
  throw new CommandError(`--at takes a time such as 2026-01-31T10:05:00Z, or milliseconds since 1970, not ${text}.`);
}
