import { userInfo } from 'node:os';
import type { Diagnostic } from '../../rules/index.js';
import { formatDiagnostic, loadRules, type RuleText } from '../../rules/index.js';
import type { RuleChange } from '../../runtime/rulebook/revision.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';

export interface PublishOptions {
  readonly config?: string;
  readonly to?: string;
  readonly author?: string;
  readonly message?: string;
}

export interface ApplyOptions extends PublishOptions {
  readonly dryRun?: boolean;
}

export interface RollbackOptions extends PublishOptions {
  readonly revision?: string;
}

/** What `POST /rules/…` answers. */
interface Answer {
  readonly outcome: 'live' | 'pending' | 'unchanged' | 'checked';
  readonly revision: number | null;
  readonly changes: readonly RuleChange[];
  readonly warnings: readonly Diagnostic[];
}

/** Publishes the rules in these files and folders, all together, to a running service. 0: they hold. */
export async function apply(paths: readonly string[], options: ApplyOptions, output: Output): Promise<number> {
  const files = await textsOf(paths);
  return publish('/rules/apply', { files, dryRun: options.dryRun === true }, options, output);
}

/** Brings back an earlier rule set. */
export async function rollback(options: RollbackOptions, output: Output): Promise<number> {
  const to = options.revision === undefined ? {} : { to: Number(options.revision) };
  return publish('/rules/rollback', to, options, output);
}

/** Whether they hold is for the service to say, which knows its streams and lists; here it is enough that there are files. */
async function textsOf(paths: readonly string[]): Promise<readonly RuleText[]> {
  const files: RuleText[] = [];
  const { diagnostics } = await loadRules(paths, { onText: (file) => files.push(file) });
  const missing = diagnostics.filter(({ code }) => code === 'file-unreadable' || code === 'no-rules');
  if (missing.length > 0) throw new CommandError(missing.map((d) => formatDiagnostic(d)).join('\n'));
  return files;
}

async function publish(path: string, body: object, options: PublishOptions, output: Output): Promise<number> {
  const base = options.to ?? urlOf(options.config);
  const signed = { ...body, author: options.author ?? userInfo().username, message: options.message ?? '' };
  const response = await ask(`${base.replace(/\/+$/, '')}${path}`, signed);
  const answer = (await response.json().catch(() => null)) as
    | (Partial<Answer> & { readonly detail?: string; readonly diagnostics?: readonly Diagnostic[] })
    | null;
  if (response.ok && answer !== null) {
    output.result(answer, () => inWords(answer as Answer));
    return 0;
  }
  const { diagnostics = [], detail = response.statusText } = answer ?? {};
  output.result({ errors: diagnostics, detail }, () =>
    [...diagnostics.map((d) => `${formatDiagnostic(d)}\n`), `Nothing was changed: ${detail}`].join('\n'),
  );
  return 1;
}

async function ask(url: string, body: object): Promise<Response> {
  try {
    const headers = { 'content-type': 'application/json' };
    return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch (error) {
    const cause = (error as Error).cause;
    const why = cause instanceof Error ? cause.message : (error as Error).message;
    throw new CommandError(`${url} does not answer: ${why}. Name the service with --to http://…`, { cause: error });
  }
}

function urlOf(config: string | undefined): string {
  const { host, port } = settingsOrFail(config ?? process.env.STAKEOUT_CONFIG).http;
  return `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}`;
}

const SIGNS: Readonly<Record<RuleChange['change'], string>> = { added: '+', changed: '~', removed: '-' };

function inWords({ outcome, revision, changes, warnings }: Answer): string {
  const lines = changes.map(
    ({ id, change, runs }) => `  ${SIGNS[change]} ${id}${runs === null ? '' : `  (runs under way: ${runs})`}`,
  );
  const ends: Readonly<Record<Answer['outcome'], string>> = {
    live: `Revision ${revision} is in force.`,
    pending: `Revision ${revision} waits for approval: POST /rules/revisions/${revision}/approve, by someone else.`,
    unchanged: 'These are the rules in force: nothing to do.',
    checked: 'Nothing was changed: this was a dry run.',
  };
  const told = changes.length === 0 && outcome !== 'unchanged' ? ['  no rule means anything else'] : lines;
  return [...warnings.map((d) => `${formatDiagnostic(d)}\n`), ...told, ends[outcome]].join('\n');
}
