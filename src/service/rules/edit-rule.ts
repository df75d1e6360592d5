import { isMap, isScalar, parseDocument } from 'yaml';
import type { RuleStatus, RuleText } from '../../rules/index.js';
import type { RuleControl } from './rule-control.js';

type RuleSet = Pick<RuleControl, 'rules' | 'files'>;

/**
 * The set in force with one rule put in it, or in the place of the one of its id. `tests`: its own tests; empty: none; absent: those that it
 * had.
 */
export function withRule({ rules, files }: RuleSet, id: string, text: string, tests?: string): readonly RuleText[] {
  const source = rules.find((rule) => rule.id === id)?.source;
  const before = files.find(({ file }) => file === source);
  const own = tests ?? before?.tests;
  const rule = { file: before?.file ?? `${id}/pattern.yaml`, text, ...(own ? { tests: own } : {}) };
  return before === undefined ? [...files, rule] : files.map((file) => (file === before ? rule : file));
}

export function withoutRule({ rules, files }: RuleSet, id: string): readonly RuleText[] {
  const source = rules.find((rule) => rule.id === id)?.source;
  return files.filter(({ file }) => file !== source);
}

/** The same text with another status; comments and layout stay. `canary`: percent of the keys, `null`: all. */
export function withStatus(text: string, status: RuleStatus, canary: number | null): string {
  return withValue(withValue(text, 'canary', canary), 'status', status);
}

/** The same text as another revision, which is in quarantine nowhere; `times`: how often it was let out then. */
export const withLift = (text: string, times: number): string => withValue(text, 'lifted', times);

/** Changes the text where the value stands: what else there is in it may be no YAML before its parameters are filled in. */
function withValue(text: string, name: string, value: string | number | null): string {
  const line = new RegExp(`^${name}\\s*:.*\\r?\\n?`, 'm');
  if (line.test(text)) return text.replace(line, (found) => (value === null ? '' : said(name, value, found)));
  if (value === null) return withoutInFlow(text, name);
  const id = /^id\s*:.*(\r?\n|$)/m;
  if (id.test(text)) return text.replace(id, (found) => `${found.trimEnd()}\n${name}: ${value}\n`);
  const document = parseDocument(text);
  document.set(name, value);
  return document.toString({ lineWidth: 0 });
}

function said(name: string, value: string | number, found: string): string {
  const [, comment = ''] = /(\s+#.*)/.exec(found) ?? [];
  return `${name}: ${value}${comment.trimEnd()}\n`;
}

/** Rules can be written as JSON, too. */
function withoutInFlow(text: string, name: string): string {
  const document = parseDocument(text);
  if (!isMap(document.contents) || !document.contents.items.some(({ key }) => isScalar(key) && key.value === name))
    return text;
  document.delete(name);
  return document.toString({ lineWidth: 0 });
}
