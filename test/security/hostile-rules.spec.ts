import { parseRule, type Rule } from '../../src/rules/index.js';
import { Detection } from '../../src/runtime/task/detection.js';
import { SourceEvent } from '../../src/runtime/task/source-event.js';

/** Rules by someone who wants out of them: to run code, to reach the program, or to stall it. */
const conditions: readonly (readonly [what: string, where: string])[] = [
  ['a constructor', "amount.constructor('return process')() == 1"],
  ['the prototype', '__proto__.polluted == 1'],
  ['the prototype of a step', 'a.__proto__.constructor == 1'],
  ['a global', 'process.env.HOME == "x"'],
  ['this', 'this.constructor == 1'],
  ['require', "require('fs') == 1"],
  ['import', "import('fs') == 1"],
  ['eval', "eval('1') == 1"],
  ['a function', '(() => 1)() == 1'],
  ['code behind a condition', 'amount > 1); process.exit(1); (1'],
  ['a template', `\`${'$'}{process.exit(1)}\` == "x"`],
  ['an assignment', 'amount = 1'],
  ['a regular expression that never ends', "user.matches('(a+)+$')"],
  ['a comprehension over what it makes itself', '[1,2,3].map(x, [1,2,3].map(y, x * y)).size() > 1'],
  ['a macro', '[1, 2].all(x, x > 0)'],
  ['brackets without end', `${'('.repeat(20_000)}amount${')'.repeat(20_000)} > 1`],
  ['terms without end', `${'amount + '.repeat(50_000)}1 > 1`],
  ['negations without end', `${'!'.repeat(50_000)}true`],
];

const textOf = (where: string): string =>
  `id: hostile\nkey: user\nwithin: 1m\npattern:\n  - begin: a\n    where: ${JSON.stringify(where)}\n  - followedBy: b\n`;

const parsed = (text: string) => parseRule(text, 'hostile/pattern.yaml', [{ name: 'payments', schema: null }]);

/** Fields whose names are those of the language itself. */
const FIELDS = ['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

function matchesOf(rule: Rule, fields: Record<string, unknown>): number {
  let matches = 0;
  const detection = new Detection(
    [rule],
    { mode: 'arrival', outOfOrdernessMs: 0 },
    { onMatch: () => void matches++ },
    { streams: ['payments'] },
  );
  for (let n = 0; n < 2; n++) {
    const all = { user: 'u', amount: 1, ...fields } as ConstructorParameters<typeof SourceEvent>[2];
    detection.clock.accept(new SourceEvent(1000 + n, '', all, n, new Uint8Array(0), null, true, 'payments'));
    detection.drain();
  }
  return matches;
}

describe('a hostile rule', () => {
  it.each(conditions)('with %s is refused with its place, soon', (_, where) => {
    const begun = performance.now();
    const { rule, diagnostics } = parsed(textOf(where));
    expect([rule, diagnostics[0]?.severity, diagnostics[0]?.line]).toEqual([null, 'error', expect.any(Number)]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(FIELDS)('that names a field %s reads the field of the event, and nothing of the program', (name) => {
    const { rule } = parsed(textOf(`${name} == "x"`));
    if (rule === null) return;
    expect(matchesOf(rule, {})).toBe(0);
  });

  it.each([
    ['a text that ends the text around it', String.raw`user == "\"); process.exit(1); (\""`],
    ['a text with a line end', String.raw`user == "\u2028\u2029\n"`],
    ['a text of a template', `user == "${'$'}{process.exit(1)}"`],
    ['a text with a comment', 'user == "*/ process.exit(1) /*"'],
  ])('with %s compares it as it is', (_, where) => {
    const { rule } = parsed(textOf(where));
    expect(rule).not.toBeNull();
    expect(matchesOf(rule!, {})).toBe(0);
  });

  it.each([
    [
      'an anchor that multiplies itself',
      'id: x\nkey: user\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n',
    ],
    ['a prototype for a section', 'id: x\nkey: user\n__proto__: {polluted: true}\npattern: [{begin: a}]\n'],
  ])('with %s in its YAML is refused', (_, text) => {
    expect(parsed(text).diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('cannot make code of a tag: what it is of stays text', () => {
    const { rule } = parsed(
      textOf('amount > 0').replace('key: user', 'key: !!js/function "function(){ process.exit(1) }"'),
    );
    expect(typeof (rule?.key ?? '')).toBe('string');
  });
});
