import { userInfo } from 'node:os';
import type { Diagnostic } from '../../rules/index.js';
import { formatDiagnostic, loadRules, type RuleText, withTestsBeside } from '../../rules/index.js';
import type { RuleChange } from '../../runtime/rulebook/revision.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { RuleControl, Signature } from '../../service/rules/rule-control.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bodyOf, jsonBody, NAME_IT, NoAnswer, problemOf, request, trimmed, urlOf } from '../service-client.js';
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

/** What `POST /v1/rules/…` answers. */
interface Answer {
  readonly outcome: 'live' | 'pending' | 'unchanged' | 'checked';
  readonly revision: number | null;
  readonly changes: readonly RuleChange[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Publishes the rules in these files and folders, all together, to a running service; where none answers and the log is Kafka's, to the
 * rules topic, from which services take them. 0: they hold.
 */
export async function apply(paths: readonly string[], options: ApplyOptions, output: Output): Promise<number> {
  const files = await textsOf(paths);
  const dryRun = options.dryRun === true;
  return publish('/v1/rules/apply', { files, dryRun }, options, output, (control, by) =>
    control.apply(files, by, dryRun),
  );
}

/** Brings back an earlier rule set. */
export async function rollback(options: RollbackOptions, output: Output): Promise<number> {
  const to = options.revision === undefined ? undefined : Number(options.revision);
  const body = to === undefined ? {} : { to };
  return publish('/v1/rollback', body, options, output, (control, by) => control.rollback(to, by));
}

/** Whether they hold is for the service to say, which knows its streams and lists; here it is enough that there are files. */
async function textsOf(paths: readonly string[]): Promise<readonly RuleText[]> {
  const files: RuleText[] = [];
  const { diagnostics } = await loadRules(paths, { onText: (file) => files.push(file) });
  const missing = diagnostics.filter(({ code }) => code === 'file-unreadable' || code === 'no-rules');
  if (missing.length > 0) throw new CommandError(missing.map((d) => formatDiagnostic(d)).join('\n'));
  return withTestsBeside(files);
}

/** The same done without a service. */
type Offline = (control: RuleControl, by: Signature) => Promise<Answer>;

async function publish(
  path: string,
  body: object,
  options: PublishOptions,
  output: Output,
  offline: Offline,
): Promise<number> {
  const { to, config } = options;
  const by = { author: options.author ?? userInfo().username, message: options.message ?? '' };
  const settings = to === undefined ? settingsOrFail(config ?? process.env.STAKEOUT_CONFIG) : null;
  const url = `${trimmed(to ?? urlOf(settings!))}${path}`;
  let response: Response;
  try {
    response = await request(url, 'POST', jsonBody({ ...body, ...by }));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (settings?.kafka.brokers === undefined) throw new NoAnswer(url, error.why, { cause: error.cause }, NAME_IT);
    output.say(`${url} does not answer: to the topic ${settings.rules.topic}, from which services take their rules`);
    return told(await withoutService(settings, output, (control) => offline(control, by)), output);
  }
  return told(await answerOf(response), output);
}

type Told = Answer | Refused;
interface Refused {
  readonly refused: string;
  readonly diagnostics: readonly Diagnostic[];
}

function told(answer: Told, output: Output): number {
  if (!('refused' in answer)) {
    output.result(answer, () => inWords(answer));
    return 0;
  }
  const { diagnostics, refused: detail } = answer;
  output.result({ errors: diagnostics, detail }, () =>
    [...diagnostics.map((d) => `${formatDiagnostic(d)}\n`), `Nothing was changed: ${detail}`].join('\n'),
  );
  return 1;
}

async function answerOf(response: Response): Promise<Told> {
  if (response.ok) return bodyOf<Answer>(response);
  const { detail: refused, diagnostics } = await problemOf(response);
  return { refused, diagnostics };
}

async function withoutService(
  settings: Settings,
  output: Output,
  act: (control: RuleControl) => Promise<Answer>,
): Promise<Told> {
  const { openControl } = await import('../../service/rules/open-control.js');
  const { RulesRefusedError, RevisionError, RulebookConflictError } = await import(
    '../../service/rules/rule-control.js'
  );
  try {
    const opened = await openControl(settings, (text) => output.say(text));
    try {
      return await act(opened.control);
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof RulesRefusedError) return { refused: error.message, diagnostics: error.diagnostics };
    if (error instanceof RevisionError || error instanceof RulebookConflictError)
      return { refused: error.message, diagnostics: [] };
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    if (typeof code === 'string' && /^(LOG|KAFKA|STREAMS?|AVRO|LIST)/.test(code))
      throw new CommandError(message, { cause: error });
    throw error;
  }
}

const SIGNS: Readonly<Record<RuleChange['change'], string>> = { added: '+', changed: '~', removed: '-' };

function inWords({ outcome, revision, changes, warnings }: Answer): string {
  const lines = changes.map(
    ({ id, change, runs }) => `  ${SIGNS[change]} ${id}${runs === null ? '' : `  (runs under way: ${runs})`}`,
  );
  const ends: Readonly<Record<Answer['outcome'], string>> = {
    live: `Revision ${revision} is in force.`,
    pending: `Revision ${revision} waits for approval: POST /v1/revisions/${revision}/approve, by someone else.`,
    unchanged: 'These are the rules in force: nothing to do.',
    checked: 'Nothing was changed: this was a dry run.',
  };
  const told = changes.length === 0 && outcome !== 'unchanged' ? ['  no rule means anything else'] : lines;
  return [...warnings.map((d) => `${formatDiagnostic(d)}\n`), ...told, ends[outcome]].join('\n');
}
