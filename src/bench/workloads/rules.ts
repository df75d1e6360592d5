import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type Diagnostic,
  type EventField,
  type EventSchema,
  formatDiagnostic,
  loadRules,
  parseRule,
  type Rule,
} from '../../rules/index.js';
import { BenchError } from '../bench-error.js';
import { TYPES } from '../stream/generate.js';

/** `bench/patterns` of the package; this file lies as deep in `src` as in `dist`. */
const FOLDER = new URL('../../../bench/patterns/', import.meta.url);

const field = (name: string, type: EventField['type']): [string, EventField] => [name, { name, type, optional: false }];

/** What the rules of the workloads are checked against. */
export const benchSchema: EventSchema = {
  stream: 'bench',
  fields: new Map([
    field('id', 'string'),
    field('accountId', 'string'),
    field('type', 'string'),
    field('amount', 'number'),
    field('country', 'string'),
    field('deviceId', 'string'),
    field('merchantId', 'string'),
    field('eventTime', 'number'),
  ]),
  kinds: new Set(TYPES),
  kindParents: new Map(),
};

/** The rules of a file of `bench/patterns`, read as the service reads them. Throws `BenchError` `BAD_RULES`. */
export async function rulesOfFile(name: string): Promise<readonly Rule[]> {
  const { rules, diagnostics } = await loadRules([fileURLToPath(new URL(name, FOLDER))], { schemas: [benchSchema] });
  refuseErrors(diagnostics);
  return rules;
}

/** One rule for each set of values, from a file with `${name}` in place of each. Throws `BenchError` `BAD_RULES`. */
export async function rulesOfTemplate(
  name: string,
  fillings: readonly Readonly<Record<string, string | number>>[],
): Promise<readonly Rule[]> {
  const path = fileURLToPath(new URL(name, FOLDER));
  const template = await readFile(path, 'utf8').catch((error: Error) => {
    throw new BenchError('BAD_RULES', `${path} cannot be read: ${error.message}`, { cause: error });
  });
  return fillings.map((values) => {
    const text = template.replace(/\$\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
    const { rule, diagnostics } = parseRule(text, path, benchSchema);
    refuseErrors(diagnostics);
    return rule!;
  });
}

function refuseErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new BenchError('BAD_RULES', errors.map(formatDiagnostic).join('\n\n'));
}
