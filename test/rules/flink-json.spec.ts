import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import type { EngineEvent, Expr } from '../../src/engine/index.js';
import {
  type EventSchema,
  formatDiagnostic,
  formatFailure,
  importFlinkJson,
  loadRules,
  NotExpressible,
  parseRule,
  parseRuleTests,
  type Rule,
  runRuleTests,
  toFlinkJson,
} from '../../src/rules/index.js';
import { fromAviator } from '../../src/rules/interchange/flink-json/from-aviator.js';
import { simplified } from '../../src/rules/interchange/flink-json/simplify.js';
import { toAviator } from '../../src/rules/interchange/flink-json/to-aviator.js';
import { SourceFile } from '../../src/rules/source/source-file.js';
import { renderMessage } from '../../src/runtime/task/alert/message.js';
import { holds } from '../oracle/evaluate.js';
import { AviatorError, type AviatorValue, aviator } from './aviator.js';
import { streamsOfFile } from './streams-of-file.js';

const root = join(import.meta.dirname, '../..');
const RUNS = 1000;

function written(rule: Rule, schema: EventSchema | null): string | null {
  try {
    return JSON.stringify(toFlinkJson(rule, { schema }));
  } catch (error) {
    if (error instanceof NotExpressible) return null;
    throw error;
  }
}

/** The pattern with its conditions as an import would write them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('op' in value) return simplified(value as Expr);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

describe('rules as graphs of dynamic CEP, and back', () => {
  it('are the same rules, and find what their tests say', async () => {
    const { rules } = await loadRules([join(root, 'patterns'), join(root, 'examples')], {
      resolveStreams: (file) => streamsOfFile(file),
    });
    const done: string[] = [];
    for (const rule of rules) {
      const streams = streamsOfFile(rule.source);
      const stream = streams.find(({ name }) => rule.streams.includes(name)) ?? streams[0]!;
      const graph = written(rule, stream.schema);
      if (graph === null) continue;
      const options = { key: rule.keyBy.form === 'pair' ? rule.keyBy.fields : rule.key, schema: stream.schema };
      const { rules: back, diagnostics } = importFlinkJson(graph, `${rule.id}.json`, options);
      expect(diagnostics.map(formatDiagnostic)).toEqual([]);
      const read = parseRule(back[0]!.text, `${rule.id}/pattern.yaml`, stream.schema).rule!;
      expect([read.id, plain(read.pattern)]).toEqual([rule.id, plain(rule.pattern)]);
      // The graph that comes of it is the very same one.
      expect(written(read, stream.schema)).toBe(graph);
      const file = join(dirname(rule.source), 'tests.yaml');
      const { tests } = parseRuleTests(await readFile(file, 'utf8'), file, rule, stream);
      const { passed, failures } = runRuleTests({ ...rule, pattern: read.pattern }, tests, {
        render: renderMessage,
        kindParents: stream.schema?.kindParents ?? new Map(),
      });
      expect(failures.map(formatFailure)).toEqual([]);
      done.push(`${rule.id} ${passed}`);
    }
    expect(done.length).toBeGreaterThanOrEqual(15);
  });
});

const fields = fc.record(
  { a: fc.integer({ min: 0, max: 3 }), b: fc.integer({ min: 0, max: 3 }), s: fc.constantFrom('x', 'y') },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, AviatorValue>>;
const cmp = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const eventOf = (values: Record<string, AviatorValue>): EngineEvent => ({
  time: 1,
  seq: 0,
  kind: 'tx',
  fields: values,
});

describe('conditions as AVIATOR', () => {
  const number = fc.letrec<{ value: Expr }>((tie) => ({
    value: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a', 'b').map((name): Expr => ({ op: 'field', name })) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }).map((value): Expr => ({ op: 'const', value })) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom('+', '-', '*', '/', '%'), tie('value'), tie('value'))
          .map(([fn, left, right]): Expr => ({ op: 'arith', fn, left, right })),
      },
      { weight: 1, arbitrary: tie('value').map((arg): Expr => ({ op: 'call', fn: 'abs', args: [arg] })) },
    ),
  })).value;
  const { condition } = fc.letrec<{ condition: Expr }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(cmp, number, number).map(([op, left, right]): Expr => ({ op: 'compare', cmp: op, left, right })),
      fc.tuple(cmp, fc.constantFrom('x', 'y')).map(
        ([op, value]): Expr => ({
          ...{ op: 'compare', cmp: op },
          ...{ left: { op: 'field', name: 's' }, right: { op: 'const', value } },
        }),
      ),
      fc.constantFrom('a', 's').map((name): Expr => ({ op: 'present', arg: { op: 'field', name } })),
      fc.subarray([0, 1, 2]).map((values): Expr => ({ op: 'in', left: { op: 'field', name: 'a' }, values })),
      tie('condition').map((arg): Expr => ({ op: 'not', arg })),
      fc
        .tuple(fc.constantFrom('and', 'or'), fc.array(tie('condition'), { maxLength: 3 }))
        .map(([op, args]): Expr => ({ op, args })),
    ),
  }));
  const scope = { schema: null, steps: [], self: 0, fields: new Set<string>() };

  it('hold for the same events, and never fail, whatever is missing', () => {
    fc.assert(
      fc.property(condition, fc.array(fields, { minLength: 5, maxLength: 5 }), (expr, events) => {
        const text = expressed(expr, () => true);
        if (text === null) return;
        for (const values of events)
          expect([text, values, aviator(text, values)]).toEqual([text, values, holds(expr, eventOf(values), () => [])]);
      }),
      { numRuns: RUNS },
    );
  });

  it('come back with the same meaning, in a shorter form', () => {
    fc.assert(
      fc.property(condition, fc.array(fields, { minLength: 5, maxLength: 5 }), (expr, events) => {
        const text = expressed(expr, () => true);
        if (text === null) return;
        const source = new SourceFile('x', text);
        const back = fromAviator(text, scope, source);
        expect([text, source.hasErrors]).toEqual([text, false]);
        for (const values of events) {
          const event = eventOf(values);
          expect([text, values, holds(back!, event, () => [])]).toEqual([text, values, holds(expr, event, () => [])]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('that were written in AVIATOR hold for the same events, whatever is missing', () => {
    const operand = fc.constantFrom('a', 'b', '1', '2', 'a + b', 'a / 2.0', 'math.abs(a)');
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { depthSize: 'small' },
        fc.tuple(operand, cmp, operand).map(([left, op, right]) => `${left} ${op} ${right}`),
        fc.tuple(cmp, fc.constantFrom('x', 'y')).map(([op, value]) => `s ${op} '${value}'`),
        fc.constantFrom('a == nil', 'a != nil', 's == nil', 'nil != b', "string.startsWith(s, 'x')"),
        tie('text').map((inner) => `!(${inner})`),
        fc.tuple(tie('text'), fc.constantFrom('&&', '||'), tie('text')).map(([l, op, r]) => `(${l}) ${op} (${r})`),
      ),
    }));
    fc.assert(
      fc.property(text, fc.array(fields, { minLength: 5, maxLength: 5 }), (written, events) => {
        const expr = fromAviator(written, scope, new SourceFile('x', written));
        if (expr === null) return;
        for (const values of events) {
          const expected = orFails(() => aviator(written, values));
          if (expected === 'fails') continue;
          expect([written, values, holds(expr, eventOf(values), () => [])]).toEqual([written, values, expected]);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

function expressed(expr: Expr, maybeMissing: () => boolean): string | null {
  try {
    return toAviator(expr, maybeMissing);
  } catch (error) {
    if (error instanceof NotExpressible) return null;
    throw error;
  }
}

function orFails(act: () => AviatorValue): AviatorValue | 'fails' {
  try {
    return act();
  } catch (error) {
    if (error instanceof AviatorError) return 'fails';
    throw error;
  }
}
