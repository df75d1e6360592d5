import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FlinkJsonOptions,
  flinkKey,
  formatDiagnostic,
  NotExpressible,
  type Rule,
  toFlinkJson,
  toFlinkSql,
} from '../../rules/index.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, loadRulesFor } from '../rules.js';
import { configFor } from '../settings.js';
import { testStreams } from './test.js';

export interface ExportOptions {
  readonly config?: string;
  readonly to?: string;
  readonly out?: string;
  readonly package?: string;
}

/** A rule in another language, and how people read it there. */
interface Exported {
  readonly id: string;
  readonly told: object;
  readonly text: string;
}

/** A language that rules can be written in. */
interface Language {
  readonly name: string;
  /** Of the files that it is written to. */
  readonly ending: string;
  readonly write: (rule: Rule, options: ExportOptions) => Exported;
  /** All rules in one text. */
  readonly together: (rules: readonly Exported[]) => string;
  readonly comment: string;
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  'flink-sql': {
    name: 'Flink SQL',
    ending: 'sql',
    write: (rule, options) => {
      const sql = toFlinkSql(rule, tableOf(rule, options.config));
      return { id: rule.id, told: { sql }, text: `-- ${rule.id}\n${sql};\n` };
    },
    together: (rules) => rules.map(({ text }) => text).join('\n'),
    comment: '-- ',
  },
  'flink-json': {
    name: "Flink's dynamic CEP",
    ending: 'json',
    write: (rule, options) => {
      const graph = toFlinkJson(rule, jsonOptions(rule, options));
      return { id: rule.id, told: { key: flinkKey(rule), graph }, text: `${JSON.stringify(graph, null, 2)}\n` };
    },
    together: (rules) => (rules.length === 1 ? rules[0]!.text : `[\n${rules.map(({ text }) => text).join(',\n')}]`),
    comment: '// ',
  },
};

/** Writes rules in another language. 0: all of them could be. */
export async function exportRules(paths: readonly string[], options: ExportOptions, output: Output): Promise<number> {
  const language = LANGUAGES[options.to ?? ''];
  if (language === undefined) throw new CommandError(`--to takes ${Object.keys(LANGUAGES).join(' or ')}.`);
  const { rules, diagnostics } = await loadRulesFor(paths, options.config);
  const { errors } = bySeverity(diagnostics);
  const written: Exported[] = [];
  const refused: { readonly id: string; readonly why: string }[] = [];
  for (const rule of rules) {
    try {
      written.push(language.write(rule, options));
    } catch (error) {
      if (!(error instanceof NotExpressible)) throw error;
      refused.push({ id: rule.id, why: error.message });
    }
  }
  const files = options.out === undefined ? null : await intoFolder(options.out, written, language.ending);
  const told = written.map(({ id, told: what }, i) => ({ id, ...what, ...(files && { file: files[i] }) }));
  const remarks = [
    ...errors.map((d) => formatDiagnostic(d)),
    ...refused.map(({ id, why }) => `${id} cannot be written in ${language.name}: ${why}`),
  ].map((text) => `${language.comment}${text.replaceAll('\n', `\n${language.comment}`)}`);
  // What is no part of the language goes where it does not break the document.
  if (!output.json && language.ending === 'json') for (const text of remarks) process.stderr.write(`${text}\n`);
  output.result({ rules: told, refused, errors }, () =>
    [
      ...(files === null
        ? written.length === 0
          ? []
          : [language.together(written)]
        : files.map((f) => `${f} written`)),
      ...(language.ending === 'json' ? [] : remarks),
    ].join('\n'),
  );
  return errors.length === 0 && refused.length === 0 ? 0 : 1;
}

async function intoFolder(folder: string, rules: readonly Exported[], ending: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const { id, text } of rules) {
    const file = join(folder, `${id}.${ending}`);
    await writeFile(file, text);
    files.push(file);
  }
  return files;
}

function streamOf(rule: Rule, config: string | undefined) {
  const streams = testStreams(config ?? configFor(rule.source));
  return streams.find(({ name }) => rule.streams.length === 0 || name === rule.streams[0]) ?? streams[0];
}

function jsonOptions(rule: Rule, options: ExportOptions): FlinkJsonOptions {
  const schema = streamOf(rule, options.config)?.schema ?? null;
  return { schema, ...(options.package === undefined ? {} : { javaPackage: options.package }) };
}

function tableOf(rule: Rule, config: string | undefined) {
  const stream = streamOf(rule, config);
  const name = stream?.name ?? rule.streams[0] ?? 'events';
  return { name, time: stream?.timeField ?? 'time', type: stream?.typeField ?? null };
}
