import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDiagnostic, importFlinkJson, type RuleStream } from '../../rules/index.js';
import type { Settings } from '../../runtime/settings/index.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, streamsOf } from '../rules.js';
import { configFor, settingsOrFail } from '../settings.js';

export interface ImportCommandOptions {
  readonly config?: string;
  readonly from?: string;
  readonly out?: string;
  readonly id?: string;
  readonly key?: string;
  readonly stream?: string;
  readonly class?: readonly string[];
  readonly force?: boolean;
}

/** Reads rules of another language. 0: all that is in the file is a rule here. */
export async function importRules(file: string, options: ImportCommandOptions, output: Output): Promise<number> {
  if (options.from !== 'flink-json') throw new CommandError('--from takes flink-json.');
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CommandError(`${file} cannot be read: ${error.message}`, { cause: error });
  });
  const settings = settingsOrFail(options.config ?? configFor(options.out ?? file));
  const stream = streamFor(settings, options.stream);
  const key = options.key ?? (stream === null ? undefined : settings.streams[stream.name]!.key);
  if (key === undefined) {
    const hint = 'In Flink it stands in the job (keyBy). Name it with --key.';
    throw new CommandError(`Which field are events grouped by? ${hint}`);
  }
  const { rules, diagnostics } = importFlinkJson(text, file, {
    key,
    schema: stream?.schema ?? null,
    classes: new Map((options.class ?? []).map(classOf)),
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(stream !== null && Object.keys(settings.streams).length > 1 ? { from: stream.name } : {}),
  });
  const { errors, warnings } = bySeverity(diagnostics);
  const files: string[] = [];
  if (options.out !== undefined) {
    for (const rule of rules) files.push(await written(options.out, rule.id, rule.text, options.force === true));
  }
  const told = rules.map(({ id, text: yaml }, i) => ({
    id,
    yaml,
    ...(files[i] === undefined ? {} : { file: files[i] }),
  }));
  output.result({ rules: told, errors, warnings }, () =>
    [
      ...diagnostics.map((d) => `# ${formatDiagnostic(d).replaceAll('\n', '\n# ')}`),
      ...(files.length > 0 ? files.map((path) => `${path} written`) : rules.map((rule) => rule.text)),
    ].join('\n'),
  );
  return errors.length === 0 ? 0 : 1;
}

/** The stream that the rules read; `null`: nothing is known of any. */
function streamFor(settings: Settings, name: string | undefined): RuleStream | null {
  const streams = streamsOf(settings);
  if (name === undefined) {
    if (streams.length > 1) {
      const names = streams.map((stream) => stream.name).join(', ');
      throw new CommandError(`Which stream do the rules read? Name it with --stream: one of ${names}.`);
    }
    return streams[0] ?? null;
  }
  const found = streams.find((stream) => stream.name === name);
  if (found === undefined) throw new CommandError(`The config has no stream ${name}.`);
  return found;
}

function classOf(given: string): [string, string] {
  const at = given.indexOf('=');
  if (at <= 0) throw new CommandError(`--class ${given}: write the class, then =, then a condition.`);
  return [given.slice(0, at).trim(), given.slice(at + 1).trim()];
}

async function written(folder: string, id: string, text: string, force: boolean): Promise<string> {
  const path = join(folder, id, 'pattern.yaml');
  await mkdir(join(folder, id), { recursive: true });
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${path} is there already: --force overwrites it, --id gives it another name.`, {
      cause: error,
    });
  }
  return path;
}
