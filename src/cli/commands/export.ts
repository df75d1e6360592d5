import { formatDiagnostic, NotExpressible, type Rule, toFlinkSql } from '../../rules/index.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, loadRulesFor } from '../rules.js';
import { configFor } from '../settings.js';
import { testStreams } from './test.js';

export interface ExportOptions {
  readonly config?: string;
  readonly to?: string;
}

interface Exported {
  readonly id: string;
  readonly sql: string;
}

/** Writes rules in another language. 0: all of them could be. */
export async function exportRules(paths: readonly string[], options: ExportOptions, output: Output): Promise<number> {
  if (options.to !== 'flink-sql') throw new CommandError('--to takes flink-sql.');
  const { rules, diagnostics } = await loadRulesFor(paths, options.config);
  const { errors } = bySeverity(diagnostics);
  const written: Exported[] = [];
  const refused: { readonly id: string; readonly why: string }[] = [];
  for (const rule of rules) {
    try {
      written.push({ id: rule.id, sql: toFlinkSql(rule, tableOf(rule, options.config)) });
    } catch (error) {
      if (!(error instanceof NotExpressible)) throw error;
      refused.push({ id: rule.id, why: error.message });
    }
  }
  output.result({ rules: written, refused, errors }, () =>
    [
      ...errors.map((d) => `-- ${formatDiagnostic(d).replaceAll('\n', '\n-- ')}`),
      ...written.map(({ id, sql }) => `-- ${id}\n${sql};\n`),
      ...refused.map(({ id, why }) => `-- ${id} cannot be written in Flink SQL: ${why}`),
    ].join('\n'),
  );
  return errors.length === 0 && refused.length === 0 ? 0 : 1;
}

function tableOf(rule: Rule, config: string | undefined) {
  const streams = testStreams(config ?? configFor(rule.source));
  const stream = streams.find(({ name }) => rule.streams.length === 0 || name === rule.streams[0]) ?? streams[0];
  const name = stream?.name ?? rule.streams[0] ?? 'events';
  return { name, time: stream?.timeField ?? 'time', type: stream?.typeField ?? null };
}
