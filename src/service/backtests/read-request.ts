import type { RuleText } from '../../rules/index.js';
import { parseDuration, parseTimestamp } from '../../runtime/settings/values.js';
import { invalidInput, notFound, type ProblemItem } from '../problems/problem.js';
import type { RuleControl } from '../rules/rule-control.js';
import type { BacktestRequest, RuleChoice } from './backtest-job.js';

type Body = Readonly<Record<string, unknown>>;

const SWEEP_MAX = 1000;
const TEXTS = ['topic', 'profile', 'from', 'to', 'warmup'] as const;
const KNOWN = [...TEXTS, 'title', 'rules', 'baseline', 'labels', 'sweep'];

/** What `POST /v1/backtests` was sent. Throws problems that say all that is wrong with it. */
export function readRequest(body: unknown, control: RuleControl): { request: BacktestRequest; title: string | null } {
  if (!isObject(body)) throw invalidInput('The body must be an object.', [{ path: '', message: 'an object' }]);
  const errors: ProblemItem[] = [];
  const wrong = (path: string, message: string): void => void errors.push({ path, message });
  for (const name of Object.keys(body)) if (!KNOWN.includes(name)) wrong(name, `one of ${KNOWN.join(', ')}`);
  for (const name of [...TEXTS, 'title']) {
    if (body[name] !== undefined && typeof body[name] !== 'string') wrong(name, 'a text');
  }
  for (const name of ['from', 'to'] as const) {
    if (typeof body[name] === 'string' && parseTimestamp(body[name]) === undefined)
      wrong(name, 'a time such as 2026-01-31T00:00:00Z');
  }
  if (typeof body.warmup === 'string' && parseDuration(body.warmup) === undefined)
    wrong('warmup', 'a duration such as 30d');
  if (
    body.sweep !== undefined &&
    !(isListOf(body.sweep, (item) => typeof item === 'string') && body.sweep.length <= SWEEP_MAX)
  )
    wrong('sweep', 'a list of texts such as amount=5000..20000:16');
  if (body.labels !== undefined && !isListOf(body.labels, isObject)) wrong('labels', 'a list of rows');
  const rules = choiceOf(body.rules, 'rules', control, wrong);
  const baseline = body.baseline === undefined ? undefined : choiceOf(body.baseline, 'baseline', control, wrong);
  if (errors.length > 0) throw invalidInput('The back-test cannot be run as it was asked for.', errors);
  const texts = Object.fromEntries(TEXTS.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])));
  const request = {
    ...{ rules, ...texts },
    ...(baseline === undefined ? {} : { baseline }),
    ...(body.labels === undefined ? {} : { labels: body.labels }),
    ...(body.sweep === undefined ? {} : { sweep: body.sweep }),
  } as BacktestRequest;
  return { request, title: typeof body.title === 'string' ? body.title : null };
}

/** Absent: the rules in force. `files` given here run whatever their status, but for those that are retired. */
function choiceOf(
  value: unknown,
  path: string,
  control: RuleControl,
  wrong: (path: string, message: string) => void,
): RuleChoice {
  const inForce = { files: control.files.map(plain) };
  if (value === undefined) return inForce;
  if (!isObject(value)) wrong(path, 'an object with files, revision or ids');
  else {
    const { files, revision, ids } = value;
    if (files !== undefined && !isListOf(files, isFile)) wrong(`${path}.files`, 'a list of {file, text}');
    else if (revision !== undefined && !Number.isInteger(revision)) wrong(`${path}.revision`, 'a number');
    else if (ids !== undefined && !isListOf(ids, (id) => typeof id === 'string')) wrong(`${path}.ids`, 'a list of ids');
    else if (files !== undefined && revision !== undefined) wrong(path, 'either files or a revision');
    else {
      const chosen = ids === undefined ? {} : { ids: ids as readonly string[] };
      if (files !== undefined) return { files: (files as RuleText[]).map(plain), ...chosen };
      return { ...(revision === undefined ? inForce : revisionOf(revision as number, control)), ...chosen };
    }
  }
  return inForce;
}

function revisionOf(n: number, control: RuleControl): RuleChoice {
  const found = control.history.find((entry) => entry.kind === 'revision' && entry.n === n);
  if (found?.kind !== 'revision') throw notFound(`There is no revision ${n} of the rules.`);
  return { files: found.files.map(plain) };
}

const plain = ({ file, text }: RuleText): RuleText => ({ file, text });
const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (value: unknown, is: (item: unknown) => boolean): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0 && value.every(is);
const isFile = (value: unknown): boolean =>
  isObject(value) && typeof value.file === 'string' && typeof value.text === 'string';
