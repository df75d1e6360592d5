import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import {
  type Filling,
  fillTemplate,
  formatDiagnostic,
  type Parameter,
  readRules,
  sayDuration,
} from '../../rules/index.js';
import type { ShelvedTemplate } from '../../service/templates/template-shelf.js';
import { templatesIn } from '../../service/templates/template-shelf.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, listsOf, streamsOf } from '../rules.js';
import { bodyOf, jsonBody, NAME_IT, NoAnswer, problemOf, request, serviceUrl } from '../service-client.js';
import { settingsOrFail } from '../settings.js';

export interface TemplateOptions {
  readonly config?: string;
  /** Folder of templates; that of the settings. */
  readonly templates?: string;
}

export interface FillOptions extends TemplateOptions {
  readonly id?: string;
  readonly title?: string;
  readonly set?: readonly string[];
  readonly status?: string;
  readonly out?: string;
  readonly publish?: boolean;
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly to?: string;
  readonly author?: string;
  readonly message?: string;
}

/** The templates of the folder, with what they take. */
export async function listTemplates(options: TemplateOptions, output: Output): Promise<number> {
  const templates = await templatesOf(options);
  output.result(
    templates.map(({ text: _, ...template }) => template),
    () => (templates.length === 0 ? 'There are no templates.' : templates.map(inWords).join('\n\n')),
  );
  return 0;
}

/** Makes a rule of a template: its text, a file, or a rule of a running service. 0: it holds. */
export async function fill(of: string, options: FillOptions, output: Output): Promise<number> {
  const { id } = options;
  if (id === undefined) throw new CommandError('How is the rule called? Name it with --id.');
  const status = statusOf(options.status);
  const title = options.title === undefined ? {} : { title: options.title };
  const filling = { id, status, values: valuesOf(options.set ?? []), ...title };
  return options.publish === true ? publish(of, filling, options, output) : offline(of, filling, options, output);
}

async function offline(of: string, filling: Filling, options: FillOptions, output: Output): Promise<number> {
  const templates = await templatesOf(options);
  const template = templates.find(({ id }) => id === of);
  if (template === undefined) {
    const known = templates.map(({ id }) => id).join(', ');
    throw new CommandError(`There is no template ${of}. There are ${known === '' ? 'none' : known}.`);
  }
  const filled = fillTemplate(template, filling);
  if ('problems' in filled) {
    const lines = filled.problems.map(({ path, message }) => `  ${path} ${message}`);
    throw new CommandError(`${of} cannot be filled so:\n${lines.join('\n')}`);
  }
  const settings = settingsOrFail(options.config ?? process.env.STAKEOUT_CONFIG);
  const file = join(options.out ?? '', filling.id, 'pattern.yaml');
  const read = await readRules([{ file, text: filled.text }], {
    streams: streamsOf(settings),
    lists: listsOf(settings),
  });
  const { errors, warnings } = bySeverity(read.diagnostics);
  if (options.out !== undefined && errors.length === 0) await written(file, filled.text, options.replace === true);
  output.result({ id: filling.id, yaml: filled.text, errors, warnings }, () =>
    [
      ...read.diagnostics.map((d) => `# ${formatDiagnostic(d).replaceAll('\n', '\n# ')}\n`),
      options.out === undefined || errors.length > 0 ? filled.text.trimEnd() : `${file} written`,
    ].join(''),
  );
  return errors.length === 0 ? 0 : 1;
}

/** What `POST /v1/templates/{id}/rules` answers. */
interface Filled {
  readonly outcome: string;
  readonly revision: number | null;
  readonly yaml: string;
}

async function publish(of: string, filling: Filling, options: FillOptions, output: Output): Promise<number> {
  const url = `${serviceUrl(options)}/v1/templates/${encodeURIComponent(of)}/rules`;
  const { author = userInfo().username, message = '', dryRun = false, replace = false } = options;
  const sent = jsonBody({ ...filling, dryRun, replace, author, message });
  const response = await request(url, 'POST', sent).catch((error: unknown) => {
    throw error instanceof NoAnswer ? new NoAnswer(url, error.why, { cause: error.cause }, NAME_IT) : error;
  });
  if (response.ok) {
    const answer = await bodyOf<Filled>(response);
    output.result(answer, () => `${answer.yaml}\n${sayOutcome(filling.id, answer)}`);
    return 0;
  }
  const { detail, errors, diagnostics } = await problemOf(response);
  output.result({ errors: diagnostics.length > 0 ? diagnostics : errors, detail }, () =>
    [
      // Errors of the rule that comes of it stand in both.
      ...(diagnostics.length > 0
        ? diagnostics.map((d) => `${formatDiagnostic(d)}\n`)
        : errors.map((error) => `  ${error.path} ${error.message}`)),
      `Nothing was changed: ${detail}`,
    ].join('\n'),
  );
  return 1;
}

function sayOutcome(id: string, { outcome, revision }: Filled): string {
  if (outcome === 'checked') return 'Nothing was changed: this was a dry run.';
  if (outcome === 'unchanged') return `${id} is there already, just so.`;
  return outcome === 'pending' ? `Revision ${revision} waits for approval.` : `Revision ${revision} has ${id}.`;
}

function templatesOf({ config, templates }: TemplateOptions): Promise<readonly ShelvedTemplate[]> {
  return templatesIn(templates ?? settingsOrFail(config ?? process.env.STAKEOUT_CONFIG).templates, []);
}

function statusOf(given = 'draft'): Filling['status'] {
  if (given === 'draft' || given === 'shadow' || given === 'live') return given;
  throw new CommandError('--status takes draft, shadow or live.');
}

function valuesOf(set: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    set.map((given) => {
      const at = given.indexOf('=');
      if (at <= 0) throw new CommandError(`--set ${given}: write name=value.`);
      return [given.slice(0, at), given.slice(at + 1)];
    }),
  );
}

async function written(file: string, text: string, replace: boolean): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  try {
    await writeFile(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${file} is there already: --replace overwrites it.`, { cause: error });
  }
}

function inWords({ id, title, parameters }: ShelvedTemplate): string {
  return [`${id}  ${title}`, ...parameters.map((parameter) => `  ${parameterInWords(parameter)}`)].join('\n');
}

function parameterInWords({ name, type, title, default: byDefault, minimum, maximum, choices }: Parameter): string {
  const bound = (value: number): string => (type === 'duration' ? sayDuration(value) : String(value));
  const said = [
    byDefault === undefined ? 'must be given' : `${byDefault} by default`,
    ...(minimum === undefined ? [] : [`at least ${bound(minimum)}`]),
    ...(maximum === undefined ? [] : [`at most ${bound(maximum)}`]),
    ...(choices === undefined ? [] : [`of ${choices.join(', ')}`]),
  ];
  return `${name} (${type})${title === undefined ? '' : `: ${title}`}; ${said.join(', ')}`;
}
