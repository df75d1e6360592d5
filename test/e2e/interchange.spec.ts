/** Rules taken to other languages and back, and made from templates, by the commands as people run them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliProcess } from '../harness/cli-process.js';
import { built, root } from './kit/build.js';

let folder: string;

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-interchange-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stakeout = (...args: string[]) => CliProcess.run(args);

describe('stakeout export and import', () => {
  it("take a rule to Flink's dynamic CEP and back, and it passes its tests", async () => {
    const written = await stakeout('export', 'patterns/transfer-without-login', '--to', 'flink-json', '--out', folder);
    expect([written.status, written.stderr]).toEqual([0, '']);
    const graph = join(folder, 'transfer-without-login.json');
    expect(await stakeout('import', graph, '--out', folder)).toMatchObject({ status: 0, stderr: '' });
    const again = await stakeout('import', graph, '--out', folder);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('--force overwrites it')]);
    const rule = join(folder, 'transfer-without-login');
    const tests = readFileSync(join(root, 'patterns/transfer-without-login/tests.yaml'), 'utf8');
    // What an alert says is no part of a graph.
    writeFileSync(join(rule, 'tests.yaml'), tests.replace(/^ +message: .*\n/gm, ''));
    const tested = await stakeout('test', rule, '--json');
    expect([tested.status, JSON.parse(tested.stdout)]).toMatchObject([0, { failed: 0 }]);
  });

  it('say what cannot be expressed, by name and place', async () => {
    const refused = await stakeout('export', 'patterns/fan-out', '--to', 'flink-json', '--json');
    expect([refused.status, JSON.parse(refused.stdout).refused]).toEqual([
      1,
      [{ id: 'fan-out', why: 'last_one: what the step spread has taken: AVIATOR sees the event alone' }],
    ]);
    const file = join(folder, 'graph.json');
    const quantifier = { consumingStrategy: 'STRICT', properties: ['SINGLE'] };
    const condition = { type: 'GROOVY', expression: 'amount > 5' };
    const nodes = [
      { name: 'a', type: 'ATOMIC', quantifier: { ...quantifier, consumingStrategy: 'SKIP_TILL_NEXT' }, condition },
    ];
    writeFileSync(file, JSON.stringify({ name: 'g', type: 'COMPOSITE', quantifier, nodes, edges: [] }));
    const wrong = await stakeout('import', file, '--json');
    expect([wrong.status, JSON.parse(wrong.stdout).errors]).toMatchObject([
      1,
      [{ code: 'not-expressible', file, line: 1, message: 'A condition of type GROOVY cannot be expressed here.' }],
    ]);
  });
});

describe('stakeout template', () => {
  it('lists templates and makes rules of them', async () => {
    const list = await stakeout('template', 'list', '--json');
    expect(JSON.parse(list.stdout).map(({ id }: { id: string }) => id)).toContain('many-in-a-row');
    const values = ['--set', 'kind=Refund', 'count=4', 'window=1h'];
    const filled = await stakeout('template', 'fill', 'many-in-a-row', '--id', 'refunds', ...values, '--out', folder);
    expect([filled.status, filled.stderr]).toEqual([0, '']);
    const rule = join(folder, 'refunds/pattern.yaml');
    expect(readFileSync(rule, 'utf8')).toMatch(/^id: refunds\n[\s\S]*^within: 1h\n[\s\S]*subtype: Refund\n/m);
    expect((await stakeout('validate', rule)).status).toBe(0);
    const wrong = await stakeout(
      'template',
      'fill',
      'many-in-a-row',
      '--id',
      'refunds',
      '--set',
      'count=1',
      'kind=Gift',
    );
    expect([wrong.status, wrong.stderr]).toEqual([
      1,
      'many-in-a-row cannot be filled so:\n' +
        '  values.kind must be one of Payment, Transfer, Withdrawal, Deposit, Refund\n' +
        '  values.count must be at least 2\n',
    ]);
  });
});
