import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { BacktestInput } from '../../../backtest/backtest.js';
import { type Protocol, protocolOf } from '../../../backtest/protocol.js';
import { type FileStream, openStreams } from '../../../backtest/run-files.js';
import { loadLists } from '../../../runtime/lists/load-lists.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { parseTimestamp } from '../../../runtime/settings/values.js';
import { ruleOptionsOf } from '../../../runtime/task/keyed-engine.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { settingsOrFail } from '../../settings.js';
import { openOrFail } from '../files.js';
import { type PlannedRules, plannedRules } from './rules.js';

/** What decides the result of a back-test: every lane is prepared from it by itself. */
export interface BacktestSource {
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
}

export interface Prepared {
  /** Name of the installation or example. */
  readonly title: string;
  readonly streams: readonly FileStream[];
  readonly rules: PlannedRules;
  readonly input: Omit<BacktestInput, 'now' | 'progress'>;
}

/** Reads settings and rules, and opens the files, which the caller closes. Throws `CommandError`. */
export async function prepare(source: BacktestSource, output: Output): Promise<Prepared> {
  const settings = settingsOrFail(source.config);
  const base = dirname(resolve(source.config));
  const protocol = await openOrFail(async () => protocolFor(settings, base, source));
  const streams = await openOrFail(() => openStreams(settings, source.data, (path) => relative(base, path)));
  try {
    const lists = await openOrFail(() => loadLists(settings.lists));
    const rules = await plannedRules(source, settings, { streams, lists: lists.known }, output);
    const options = { ...ruleOptionsOf(settings.engine), lists };
    const input = { streams, plan: rules.plan, protocol, options };
    return { title: settings.name, streams, rules, input };
  } catch (error) {
    for (const { file } of streams) await file.close();
    throw error;
  }
}

function protocolFor(settings: Settings, base: string, options: BacktestSource): Protocol {
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

function momentOf(options: BacktestSource, name: 'from' | 'to'): { from?: number; to?: number } {
  const text = options[name];
  if (text === undefined) return {};
  const time = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (time !== undefined) return { [name]: time };
  throw new CommandError(
    `--${name} takes a time such as 2026-01-31T00:00:00Z, or milliseconds since 1970, not ${text}.`,
  );
}
