import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaOf } from '../../src/connectors/avro/event-schema.js';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { compilePattern } from '../../src/engine/index.js';
import {
  formatDiagnostic,
  type KnownLists,
  loadRules,
  parseRule,
  parseRuleTests,
  type Rule,
} from '../../src/rules/index.js';
import { dice } from '../../src/runtime/testing/dice.js';

/** Random rules and tests for the reader of both: what it does with each, and how long it takes. */

const root = join(import.meta.dirname, '../..');
const avro = readAvroSchema(join(root, 'schemas/transaction.avsc'));
const schema = eventSchemaOf(avro, { stream: 'transactions', type: 'type' });
const stream = { schema, idField: 'transactionId', timeField: 'eventTime', typeField: 'type' };
const lists: KnownLists = new Map([['sanctioned', 'set']]);

export interface Seeds {
  readonly rules: readonly { readonly rule: Rule; readonly text: string; readonly tests: string }[];
}

export async function readSeeds(): Promise<Seeds> {
  const { rules, texts } = await loadRules([join(root, 'patterns')], { schemas: [schema] });
  return {
    rules: rules.map((rule) => ({
      rule,
      text: texts.get(rule.source)!,
      tests: readFileSync(join(rule.source, '../tests.yaml'), 'utf8'),
    })),
  };
}

export interface Fed {
  readonly kind: string;
  readonly text: string;
  /** What became of it. */
  readonly outcome: 'rule' | 'refused' | 'tests';
  readonly ms: number;
}

/** Thrown with the text that did it. */
export class FuzzFailure extends Error {
  constructor(
    readonly kind: string,
    readonly text: string,
    cause: unknown,
  ) {
    super(`${kind}: ${(cause as Error).stack}\n--- ${JSON.stringify(text.slice(0, 4000))}`, { cause });
  }
}

type Random = (below: number) => number;

const KINDS = [
  'mutated rule',
  'spliced rules',
  'mutated condition',
  'random YAML',
  'mutated tests',
  'large',
  'deep',
] as const;

/** Feeds the input of this number; the same number is the same input. Throws `FuzzFailure` when anything but a diagnostic comes of it. */
export function feed(seeds: Seeds, number: number): Fed {
  // Numbers beside each other begin far apart.
  const random: Random = dice(Math.imul(number, 0x9e3779b1));
  random(2);
  // Large and deep ones take longer, so that they come less often.
  const kind = KINDS[random(40) === 0 ? 5 + random(2) : random(5)]!;
  const seed = seeds.rules[random(seeds.rules.length)]!;
  const text = inputOf(kind, seeds, seed, random);
  const started = performance.now();
  try {
    const outcome = kind === 'mutated tests' ? readTests(text, seed.rule) : readRule(text);
    return { kind, text, outcome, ms: performance.now() - started };
  } catch (error) {
    throw new FuzzFailure(kind, text, error);
  }
}

function readRule(text: string): Fed['outcome'] {
  const { rule, diagnostics } = parseRule(text, 'fuzzed/pattern.yaml', schema, { lists });
  for (const diagnostic of diagnostics) formatDiagnostic(diagnostic);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if ((rule === null) !== errors.length > 0)
    throw new Error(`${errors.length} errors, and ${rule === null ? 'no' : 'a'} rule`);
  if (rule === null) return 'refused';
  compilePattern(rule.pattern, { lists: { has: () => false, get: () => undefined } });
  return 'rule';
}

function readTests(text: string, rule: Rule): Fed['outcome'] {
  for (const diagnostic of parseRuleTests(text, 'fuzzed/tests.yaml', rule, stream).diagnostics)
    formatDiagnostic(diagnostic);
  return 'tests';
}

function inputOf(kind: (typeof KINDS)[number], seeds: Seeds, seed: Seeds['rules'][number], random: Random): string {
  switch (kind) {
    case 'mutated rule':
      return mutated(seed.text, random);
    case 'spliced rules': {
      const other = seeds.rules[random(seeds.rules.length)]!.text;
      return mutated(seed.text.slice(0, random(seed.text.length)) + other.slice(random(other.length)), random);
    }
    case 'mutated condition':
      return ruleOf(`- begin: a\n    where: ${JSON.stringify(condition(random, 4))}`);
    case 'random YAML':
      return `id: a\nkey: accountId\n${yaml(random, 3, '')}`;
    case 'mutated tests':
      return mutated(seed.tests, random);
    case 'large':
      return large(random);
    case 'deep':
      return deep(random);
  }
}

const ruleOf = (steps: string): string => `id: a\nkey: accountId\nwithin: 1h\npattern:\n  ${steps}\n`;

const BITS = [
  ...'{}[]()&*!|>\'"#:,-?%@`\\\t\n\r ',
  '\u0000',
  '\ud800',
  '\u2028',
  '\ufeff',
  '🙂',
  '<<: ',
  '&a ',
  '*a',
  '!!binary ',
  '!!set ',
  '---\n',
  '...\n',
  '%YAML 9.9\n',
  '? ',
  '|\n',
  '>-\n',
  '__proto__',
  'constructor',
  `$\{a:1}`,
  `$\{`,
  '{{ ',
  ' }}',
  '0x10',
  '1e999',
  '.nan',
  '.inf',
  '~',
  'null',
  'true',
  '2026-01-01',
  '-0',
  'amount',
  'large',
  "list('sanctioned')",
  ' in ',
  '[0]',
  '.first',
  'hour(',
  "'",
  '&&',
  '||',
  '==',
];

function mutated(text: string, random: Random): string {
  let now = text;
  for (let n = 1 + random(6); n > 0; n--) {
    const at = random(now.length + 1);
    const length = random(3) === 0 ? random(40) : random(3);
    const bit =
      random(4) === 0 ? now.slice(random(now.length), random(now.length)).slice(0, 200) : BITS[random(BITS.length)]!;
    now = now.slice(0, at) + (random(3) === 0 ? '' : bit) + now.slice(at + length);
  }
  return now;
}

const LEAVES = [
  'amount',
  'country',
  'type',
  'deviceId',
  'time',
  'kind',
  'key',
  'a.amount',
  'first(a).country',
  'count(a)',
  '5',
  '-0.1',
  "'x'",
  'true',
  'null',
  '9e99',
  "list('sanctioned')",
  "list('sanctioned', key)",
  'a',
  'nothing',
];
const CALLS = [
  'abs',
  'size',
  'hour',
  'round',
  'startsWith',
  'ipIn',
  'hash',
  'has',
  'sum',
  'count',
  'duration',
  'listNumber',
  'least',
  'matchesGlob',
  'nothing',
];
const OPERATORS = ['&&', '||', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', 'in'];

function condition(random: Random, depth: number): string {
  if (depth === 0) return LEAVES[random(LEAVES.length)]!;
  const part = (): string => condition(random, random(depth));
  switch (random(9)) {
    case 0:
      return `!(${part()})`;
    case 1:
      return `(${part()}) ? (${part()}) : (${part()})`;
    case 2:
      return `${CALLS[random(CALLS.length)]}(${Array.from({ length: random(4) }, part).join(', ')})`;
    case 3:
      return `${part()} in [${Array.from({ length: random(4) }, part).join(', ')}]`;
    case 4:
      return mutated(part(), random);
    default:
      return `(${part()}) ${OPERATORS[random(OPERATORS.length)]} (${part()})`;
  }
}

const KEYS = [
  'pattern',
  'within',
  'gap',
  'skip',
  'alert',
  'features',
  'begin',
  'next',
  'followedBy',
  'notFollowedBy',
  'group',
  'where',
  'or',
  'times',
  'until',
  'greedy',
  'optional',
  'inside',
  'subtype',
  'name',
  'count',
  'sum',
  'over',
  'from',
  'key',
  'message',
  'severity',
  'tags',
  'nothing',
];
const VALUES = [
  '1h',
  '3',
  '3..5',
  '3+',
  'true',
  'amount > 5',
  'a',
  'Transfer',
  '',
  '~',
  '[]',
  '{}',
  '"{{ a.amount }}"',
  'accountId',
  '{each: [a, b]}',
  '5',
  '&x a',
  '*x',
  '{toFirst: a}',
  'pastLastEvent',
];

function yaml(random: Random, depth: number, indent: string): string {
  const lines = Array.from({ length: 1 + random(5) }, () => {
    const key = KEYS[random(KEYS.length)]!;
    const bullet = random(3) === 0 ? '- ' : '';
    if (depth === 0 || random(2) === 0) return `${indent}${bullet}${key}: ${VALUES[random(VALUES.length)]}\n`;
    return `${indent}${bullet}${key}:\n${yaml(random, depth - 1, `${indent}${bullet === '' ? '  ' : '    '}`)}`;
  });
  return lines.join('');
}

function large(random: Random): string {
  const n = 200 + random(2000);
  const many = (line: (i: number) => string, separator = ''): string =>
    Array.from({ length: n }, (_, i) => line(i)).join(separator);
  switch (random(6)) {
    case 0:
      return ruleOf(`- begin: a\n    where: ${many((i) => `amount == ${i}`, ' || ')}`);
    case 1:
      return ruleOf(`- begin: a\n${many((i) => `  - followedBy: s${i}\n    where: amount > ${i}\n`)}`);
    case 2:
      return `id: a\nkey: accountId\ndescription: ${'x'.repeat(n * 500)}\npattern: [{begin: a}]`;
    case 3:
      return ruleOf(`- begin: a\n    where: country in [${many((i) => `'C${i}'`, ', ')}]`);
    case 4:
      return `id: a\nkey: accountId\nfeatures:\n${many((i) => `  - {name: f${i}, count: true, over: ${i + 1}s}\n`)}pattern: [{begin: a, where: ${many((i) => `f${i} > 1`, ' && ').slice(0, 20_000)}}]`;
    default:
      return ruleOf(`- {begin: a, times: ${n}}\n  - {followedBy: b, times: ${random(50)}..${n}, inside: combinations}`);
  }
}

function deep(random: Random): string {
  const n = 20 + random(random(3) === 0 ? 20_000 : 400);
  switch (random(6)) {
    case 0:
      return ruleOf(`- begin: a\n    where: "${'('.repeat(n)}amount > 5${')'.repeat(n)}"`);
    case 1:
      return ruleOf(`- begin: a\n    where: "${'!'.repeat(n)}approved"`);
    case 2:
      return `id: a\nkey: accountId\npattern: ${'[{begin: {group: '.repeat(n)}[{begin: a}]${'}}]'.repeat(n)}`;
    case 3:
      return `id: a\nkey: ${'['.repeat(n)}${']'.repeat(n)}\npattern: [{begin: a}]`;
    case 4: {
      const levels = Array.from({ length: 12 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i}, `.repeat(9)}]\n`);
      return `x0: &x0 [a]\n${levels.join('')}id: a\nkey: accountId\npattern: *x12`;
    }
    default:
      return `id: a\nkey: accountId\npattern:\n${Array.from({ length: Math.min(n, 400) }, (_, i) => `${'  '.repeat(2 * i)}- begin:\n${'  '.repeat(2 * i + 1)}  group:\n`).join('')}`;
  }
}
