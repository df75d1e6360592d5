import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { testRules } from '../testing/test-rules.js';
import { payments } from '../testkit/payments.js';
import { loadRules } from './load-rules.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rules-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, text: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const ruleText = (id: string, where = 'amount > 5') =>
  `id: ${id}\nkey: accountId\npattern:\n  - begin: one\n    where: ${where}\n`;

describe('loading rules', () => {
  it('takes every pattern.yaml below a folder in order, and files by name', async () => {
    await write('patterns/b/pattern.yaml', ruleText('b'));
    await write('patterns/a/pattern.yaml', ruleText('a'));
    await write('patterns/a/tests.yaml', 'tests: []');
    await write('patterns/.old/c/pattern.yaml', ruleText('c'));
    const single = await write('mine.yaml', ruleText('mine'));
    const { rules, diagnostics } = await loadRules([join(folder, 'patterns'), single], { schemas: [payments] });
    expect(rules.map((rule) => rule.id)).toEqual(['a', 'b', 'mine']);
    expect(rules[0]!.source).toBe(join(folder, 'patterns/a/pattern.yaml'));
    expect(diagnostics).toEqual([]);
  });

  it('gives the good rules with what is wrong with the others', async () => {
    await write('a/pattern.yaml', ruleText('a', 'amuont > 5'));
    await write('b/pattern.yaml', ruleText('b'));
    const { rules, diagnostics } = await loadRules([folder], { schemas: [payments] });
    expect(rules.map((rule) => rule.id)).toEqual(['b']);
    expect(diagnostics).toMatchObject([{ code: 'unknown-field', line: 5, file: join(folder, 'a/pattern.yaml') }]);
  });

  it('refuses the second rule of an id, and says where the first one is', async () => {
    const first = await write('1.yaml', ruleText('same'));
    const second = await write('2.yaml', `# another\n${ruleText('same')}`);
    const { rules, diagnostics } = await loadRules([first, second]);
    expect(rules.map((rule) => rule.source)).toEqual([first]);
    expect(diagnostics).toMatchObject([
      { code: 'duplicate-id', file: second, line: 2, column: 5, length: 4, excerpt: 'id: same' },
    ]);
    expect(diagnostics[0]!.message).toContain(first);
  });

  it('tells of paths that are not there and folders without rules', async () => {
    await mkdir(join(folder, 'empty'));
    const { rules, diagnostics } = await loadRules([join(folder, 'nowhere'), join(folder, 'empty')]);
    expect(rules).toEqual([]);
    expect(diagnostics.map((d) => d.code)).toEqual(['file-unreadable', 'no-rules']);
  });

  it('checks each file against the schema that is resolved for it', async () => {
    const a = await write('a.yaml', ruleText('a', 'whatever > 5'));
    const b = await write('b.yaml', ruleText('b', 'whatever > 5'));
    const { rules } = await loadRules([a, b], { resolveStreams: (file) => (file === a ? null : payments) });
    expect(rules.map((rule) => rule.id)).toEqual(['a']);
  });

  it('lets a step use the fields of its stream alone', async () => {
    const other = {
      ...payments,
      stream: 'other',
      fields: new Map([['extra', { name: 'extra', type: 'number', optional: false }]]),
    } as typeof payments;
    const file = await write('a.yaml', ruleText('a', 'extra > 5 && amount > 1'));
    const { rules, diagnostics } = await loadRules([file], { schemas: [payments, other] });
    expect([rules, diagnostics.map((d) => d.code)]).toEqual([[], ['unknown-field']]);
  });
});

describe('testing rules', () => {
  it('runs the tests beside each rule, and tells of a rule without any', async () => {
    await write('a/pattern.yaml', ruleText('a'));
    await write('a/tests.yaml', 'tests: [{name: x, events: [{id: e, accountId: A, amount: 9}], alerts: []}]');
    await write('b/pattern.yaml', ruleText('b'));
    const result = await testRules([folder], { streamsOf: () => [{ schema: payments }], render: () => '' });
    expect(result).toMatchObject({ passed: 0, failed: 1 });
    expect(result.failures).toMatchObject([{ rule: 'a', test: 'x', message: 'unexpected one: e' }]);
    expect(result.diagnostics).toMatchObject([{ code: 'no-tests', severity: 'warning' }]);
  });
});
