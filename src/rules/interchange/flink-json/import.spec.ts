import { payments } from '../../testkit/payments.js';
import { type ImportOptions, importFlinkJson } from './import.js';

const single = { consumingStrategy: 'SKIP_TILL_NEXT', properties: ['SINGLE'] };
const aviator = (expression: string) => ({ type: 'AVIATOR', expression });
const node = (name: string, more: object = {}) => ({ name, type: 'ATOMIC', quantifier: single, ...more });
const edge = (source: string, target: string, type = 'SKIP_TILL_NEXT') => ({ source, target, type });
const TEN_MINUTES = { type: 'FIRST_AND_LAST', time: { unit: 'MINUTES', size: 10 } };
const graph = (more: object = {}) => ({
  ...{ name: 'two payments', type: 'COMPOSITE', version: 1, quantifier: single, condition: null },
  ...{ nodes: [node('b'), node('a')], edges: [edge('a', 'b')], window: TEN_MINUTES },
  ...{ afterMatchStrategy: { type: 'NO_SKIP', patternName: null }, ...more },
});

function imported(value: unknown, options: Partial<ImportOptions> = {}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return importFlinkJson(text, 'rule.json', { key: 'accountId', schema: payments, ...options });
}

const yamlOf = (value: unknown, options?: Partial<ImportOptions>): string => {
  const { rules, diagnostics } = imported(value, options);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return rules.map(({ text }) => text).join('---\n');
};

const told = (value: unknown, options?: Partial<ImportOptions>): readonly string[] =>
  imported(value, options).diagnostics.map(({ code, message }) => `${code}: ${message}`);

describe('a graph of dynamic CEP', () => {
  it('is a rule, its nodes in the order of the edges', () => {
    const more = {
      nodes: [
        node('end', { condition: aviator("country != 'DE' && (amount > 10.5 || amount == 3)") }),
        node('middle', {
          quantifier: {
            ...{ consumingStrategy: 'STRICT', properties: ['LOOPING', 'GREEDY'] },
            times: { from: 2, to: 2, windowTime: { unit: 'SECONDS', size: 90 } },
            untilCondition: aviator('amount > 1000'),
          },
        }),
        node('start', { condition: { type: 'CLASS', className: 'x.SubtypeCondition', subClassName: 'a.b.Payment' } }),
      ],
      edges: [
        edge('middle', 'end', 'NOT_FOLLOW'),
        edge('start', 'middle', 'SKIP_TILL_ANY'),
        edge('end', 'last', 'STRICT'),
      ],
      afterMatchStrategy: { type: 'SKIP_TO_LAST', patternName: 'middle' },
    };
    more.nodes.push(node('last'));
    expect(yamlOf(graph(more))).toBe(`id: two-payments
title: two payments
key: accountId
within: 10m
pattern:
  - begin: start
    subtype: Payment
  - followedByAny: middle
    times: 2+
    inside: consecutive
    greedy: true
    until: amount > 1000
    gap: 1m30s
  - notFollowedBy: end
    where: country != 'DE' && (amount > 10.5 || amount == 3)
  - next: last
skip:
  toLast: middle
`);
  });

  it('has graphs inside, which are groups', () => {
    const inner = {
      ...{ name: 'inner', type: 'COMPOSITE', nodes: [node('x'), node('y')], edges: [edge('x', 'y', 'STRICT')] },
      quantifier: { ...single, properties: ['TIMES', 'OPTIONAL'], times: { from: 2, to: 3 } },
      window: { type: 'PREVIOUS_AND_CURRENT', time: { unit: 'MINUTES', size: 1 } },
    };
    expect(yamlOf(graph({ nodes: [node('a'), inner], edges: [edge('a', 'inner')] }))).toContain(`  - followedBy:
      group:
        - begin: x
        - next: y
          gap: 1m
    times: 2..3
    optional: true
`);
  });

  it.each<[form: string, more: object, yaml: string]>([
    ['a window before the last event', { window: { ...TEN_MINUTES, type: 'PREVIOUS_AND_CURRENT' } }, '\ngap: 10m\n'],
    ['no window', { window: null }, 'key: accountId\npattern:'],
    ['SKIP_TO_NEXT', { afterMatchStrategy: { type: 'SKIP_TO_NEXT' } }, '\nskip: toNext\n'],
    ['no strategy', { afterMatchStrategy: null }, '  - followedBy: b\n'],
  ])('with %s', (_, more, yaml) => {
    expect(yamlOf(graph(more))).toContain(yaml);
  });

  it('can be one of a list', () => {
    expect(yamlOf([graph(), graph({ name: 'Other' })], { id: 'first' })).toMatch(/^id: first\n[\s\S]*---\nid: other\n/);
  });
});

describe('a condition', () => {
  const where = (condition: object, options?: Partial<ImportOptions>) =>
    /(?:where|subtype): [\s\S]*(?= {2}- )/.exec(
      yamlOf(graph({ nodes: [node('b'), node('a', { condition })] }), options),
    )?.[0];
  const nested = (kind: string, ...nestedConditions: object[]) => ({
    ...{ type: 'CLASS', className: `org.apache.flink.cep.pattern.conditions.Rich${kind}Condition`, nestedConditions },
  });
  const kind = { type: 'CLASS', className: 'c.SubtypeCondition', subClassName: 'com.acme.Kinds$Transfer' };

  it.each<[what: string, condition: object, cel: string]>([
    ['of text', aviator("country == 'it\\'s'"), "where: country == 'it\\'s'\n"],
    ['of alternatives', aviator('country == "DE" || country == "FR"'), "where: country in ['DE', 'FR']\n"],
    [
      'that asks for nil',
      aviator('deviceId == nil || amount / 2.0 > 3'),
      'where: deviceId == null || amount / 2 > 3\n',
    ],
    ['true of nil', aviator("deviceId != 'DE'"), "where: deviceId == null || deviceId != 'DE'\n"],
    ['of what is there', aviator("deviceId != nil && deviceId < 'DE'"), "where: deviceId < 'DE'\n"],
    ['with functions', aviator("string.contains(country, 'a') ? true : math.abs(amount) > 1"), 'abs(amount)'],
    [
      'and',
      nested('And', kind, aviator('amount > 1'), aviator('amount < 2')),
      'subtype: Transfer\n    where: amount > 1 && amount < 2\n',
    ],
    [
      'or',
      nested('Or', aviator('amount > 1'), nested('Not', aviator('amount == 7'))),
      'where: amount > 1 || !(amount == 7)\n',
    ],
  ])('%s is written in CEL', (_, condition, cel) => {
    expect(where(condition)).toContain(cel);
  });

  it('of a Java class is what one says that it is', () => {
    const classes = new Map([['com.acme.Large', 'amount > 1000']]);
    expect(where({ type: 'CLASS', className: 'com.acme.Large' }, { classes })).toBe('where: amount > 1000\n');
  });

  it.each<[condition: object, message: string]>([
    [aviator('country =~ /D.*/'), 'AVIATOR: the match with a regular expression (=~) cannot be expressed here.'],
    [aviator('now() > 5'), 'AVIATOR: the function now cannot be expressed here.'],
    [aviator('let x = 5; amount > x'), 'AVIATOR: a script of statements cannot be expressed here.'],
    [
      aviator('amount / 2 > 5'),
      'AVIATOR: the division amount / 2, which drops the rest of whole numbers, cannot be expressed here.',
    ],
    [
      aviator('1.0 * amount / amount > 5'),
      'AVIATOR: the division by amount, which may be zero, cannot be expressed here.',
    ],
    [aviator('amount ** 2 > 5'), 'AVIATOR: the power ** cannot be expressed here.'],
    [aviator('amount & 2 == 2'), 'AVIATOR: an operation on bits cannot be expressed here.'],
    [aviator('amount > 5N'), 'AVIATOR: a number with a type (N, M) cannot be expressed here.'],
    [aviator('event.amount > 5'), 'AVIATOR: the property of a property event.amount cannot be expressed here.'],
    [aviator('amount < nil'), 'AVIATOR: amount < nil cannot be expressed here.'],
    [aviator('1 > 2'), 'The expression reads nothing of the event: Flink takes it to hold, whatever its value is.'],
    [aviator("country == '#{country}'"), 'AVIATOR: a value inside a text (#{…}) cannot be expressed here.'],
    [aviator('amuont > 5'), 'There is no field amuont.'],
    [aviator("amount > 'a'"), '> cannot compare a number with text.'],
    [{ type: 'GROOVY', expression: 'amount > 5' }, 'A condition of type GROOVY cannot be expressed here.'],
    [{ type: 'CLASS', className: 'com.acme.Large' }, 'What the class com.acme.Large asks cannot be expressed here.'],
    [nested('Or', kind, aviator('amount > 1')), 'A SubtypeCondition inside of "or" cannot be expressed here.'],
  ])('%j is refused by name', (condition, message) => {
    const { diagnostics } = imported(graph({ nodes: [node('b'), node('a', { condition })] }));
    expect(diagnostics.map((d) => d.message)).toEqual([message]);
  });
});

describe('what is wrong with a graph', () => {
  it('is told all at once, at its places', () => {
    const text = `{
  "name": "x", "type": "COMPOSITE",
	"quantifier": {"consumingStrategy": "SKIP_TILL_NEXT", "properties": ["SINGLE"]},
  "nodes": [
    {"name": "a", "type": "ATOMIC", "quantifier": {"consumingStrategy": "SKIP_TILL_NXT", "properties": ["LOOPIN"]},
     "condition": {"type": "AVIATOR", "expression": "country == \\"x\\" && amuont > 5"}}
  ],
  "edges": [{"source": "a", "target": "c", "type": "STRICT"}],
  "windw": null, "window": {"type": "FIRST_AND_LAST", "time": {"unit": "MINUTES", "size": "many"}}
}`;
    const places = imported(text).diagnostics.map((d) => `${d.line}:${d.column} ${d.code} ${d.message}`);
    expect(places).toEqual([
      '5:73 bad-value consumingStrategy cannot be SKIP_TILL_NXT.',
      '5:105 bad-value properties cannot be LOOPIN.',
      '6:74 unknown-field There is no field amuont.',
      '8:39 unknown-step There is no node c here.',
      '9:91 bad-times size cannot be many.',
    ]);
  });

  it.each<[what: string, value: unknown, told: string]>([
    [
      'no JSON',
      '{"name": }',
      'json-syntax: The file is not JSON: Unexpected token \'}\', "{"name": }" is not valid JSON.',
    ],
    ['no object', '[5]', 'wrong-form: A graph is an object with "nodes" and "edges".'],
    ['two begin', graph({ edges: [] }), 'no-chain: Which node begins? No edge leads to b and a.'],
    ['a circle', graph({ edges: [edge('a', 'b'), edge('b', 'a')] }), 'no-chain: The edges lead round in a circle.'],
    [
      'a fork',
      graph({ nodes: [node('a'), node('b'), node('c')], edges: [edge('a', 'b'), edge('a', 'c')] }),
      'no-chain: A second edge from a: the nodes of a graph are one chain.',
    ],
    ['no key', graph({ nodes: [node('a'), node('b', { colour: 'red' })] }), 'unknown-key: A node has no key colour.'],
    [
      'one name twice',
      graph({ nodes: [node('a'), node('a')], edges: [] }),
      'duplicate-step-name: Two nodes are called a.',
    ],
    [
      'greedy alone',
      graph({ nodes: [node('b'), node('a', { quantifier: { ...single, properties: ['SINGLE', 'GREEDY'] } })] }),
      'greedy-on-single: greedy needs a quantifier.',
    ],
    [
      'no target',
      graph({ afterMatchStrategy: { type: 'SKIP_TO_FIRST', patternName: 'c' } }),
      'skip-target-unknown: There is no node c.',
    ],
  ])('%s', (_, value, message) => {
    expect(told(value)[0]).toBe(message);
  });

  it('is a warning, where Flink itself makes nothing of it', () => {
    const inner = { name: 'i', type: 'COMPOSITE', quantifier: single, nodes: [node('x')], window: TEN_MINUTES };
    expect(told(graph({ nodes: [node('a-1'), inner], edges: [edge('a-1', 'i')] }))).toEqual([
      'renamed-step: The step is called a_1: a-1 is no name here.',
      'not-read: window of an inner graph means nothing in Flink, and is left out.',
    ]);
  });
});
