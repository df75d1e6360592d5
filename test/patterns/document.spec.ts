import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { FUNCTIONS, PatternRunner } from '../../src/engine/index.js';
import {
  type EventSchema,
  formatDiagnostic,
  formatFailure,
  parseRule,
  parseRuleTests,
  runRuleTests,
} from '../../src/rules/index.js';
import { renderMessage } from '../../src/runtime/task/alert/message.js';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/pattern-language.md'), 'utf8');
const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1]!);
const schema = eventSchemaOf(readAvroSchema(join(root, 'schemas/transaction.avsc')), {
  stream: 'transactions',
  type: 'type',
});

/** The second stream of the examples that join two. */
const field = (name: string) => [name, { name, type: 'string', optional: false }] as const;
const logins: EventSchema = {
  stream: 'logins',
  fields: new Map(['userId', 'action', 'outcome', 'ip'].map(field)),
  kinds: null,
  kindParents: new Map(),
};
const streams = [schema, logins].map((of) => ({ name: of.stream, schema: of }));

const rules = blocks.filter((block) => block.startsWith('id:'));
const steps = blocks.filter((block) => block.startsWith('- begin:'));
const tests = blocks.filter((block) => block.startsWith('defaults:'));

/** The rows of the table of functions: what is explained, and an example that is true. */
const functions = [
  ...text.slice(text.indexOf('\n### Functions'), text.indexOf('\n## Features')).matchAll(/^\| (`.*) \| `(.*)` \|$/gm),
].map(([, written, example]) => ({
  names: [...written!.matchAll(/`(\w+)\(/g)].map(([, name]) => name!),
  example: example!,
}));

/** Codes in the sources, where each stands as text of its own. */
function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const folder of ['src/rules', 'src/engine/pattern', 'src/engine/compiler']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const source = readFileSync(join(root, folder, name), 'utf8');
      const calls = /(?:error|warning|report|atFile|code:|code =)\(?\s*(?:[\w.]+, )?'([a-z]+(?:-[a-z]+)+)'/g;
      for (const [, code] of source.matchAll(calls)) codes.add(code!);
    }
  }
  return codes;
}

describe('the reference of the pattern language', () => {
  it('has examples of rules, steps and tests, and nothing else in YAML', () => {
    expect([rules.length, tests.length]).toEqual([14, 2]);
    expect(steps.length).toBeGreaterThanOrEqual(8);
    expect(rules.length + steps.length + tests.length).toBe(blocks.length);
  });

  it.each(rules)('shows a rule that holds: %s', (block) => {
    expect(
      parseRule(block, 'rule.yaml', block.includes('from: ') ? streams : schema).diagnostics.map(formatDiagnostic),
    ).toEqual([]);
  });

  it.each(steps)('shows steps that hold: %s', (block) => {
    const rule = `id: a\nkey: accountId\nwithin: 1h\npattern:\n${block.replace(/^/gm, '  ')}`;
    expect(parseRule(rule, 'rule.yaml', schema).diagnostics.map(formatDiagnostic)).toEqual([]);
  });

  it.each([
    ['offshore-drain', 'stays quiet', 2],
    ['busy-minute', 'two large payments', 1],
  ])('shows tests that the rule they are for passes: %s', (id, of, passed) => {
    const { rule } = parseRule(rules.find((text) => text.startsWith(`id: ${id}`))!, 'rule.yaml', schema);
    const stream = { schema, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };
    const parsed = parseRuleTests(tests.find((text) => text.includes(of))!, 'tests.yaml', rule!, stream);
    expect(parsed.diagnostics.map(formatDiagnostic)).toEqual([]);
    const result = runRuleTests(rule!, parsed.tests, { render: renderMessage });
    expect(result.failures.map(formatFailure)).toEqual([]);
    expect(result.passed).toBe(passed);
  });

  it('explains every function, with an example that calls it', () => {
    expect(functions.flatMap(({ names }) => names).toSorted()).toEqual([...FUNCTIONS.keys()].toSorted());
    for (const { names, example } of functions) for (const name of names) expect(example).toContain(`${name}(`);
  });

  it.each(functions)('shows an example of a function that is true: $example', ({ example }) => {
    const yaml = `id: a\nkey: accountId\npattern:\n  - begin: one\n    where: ${JSON.stringify(example)}`;
    const { rule, diagnostics } = parseRule(yaml, 'rule.yaml', schema);
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(new PatternRunner(rule!.pattern).feed({ time: 0, seq: 0, kind: '', fields: {} })).toHaveLength(1);
  });

  it('explains every code, and none that is not there', () => {
    const codes = codesInSources();
    const explained = [...text.slice(text.indexOf('\n### Files')).matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code!),
    );
    expect([...codes].filter((code) => !explained.includes(code))).toEqual([]);
    expect(explained.filter((code) => !codes.has(code)).filter((code) => !IN_VARIABLES.has(code))).toEqual([]);
  });
});

/** Codes that the sources choose between before they report, or that are one word. */
const IN_VARIABLES = new Set([
  'condition-syntax',
  'condition-too-large',
  'duplicate-key',
  'yaml-syntax',
  'where-on-group',
  'subtype-on-group',
  'from-on-group',
  'bad-duration',
  'bad-times',
  'bad-time',
  'bad-value',
  'unsupported',
  'subsumed',
]);
