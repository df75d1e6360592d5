/** The commands as people and scripts run them: exit status, text, and the one JSON document of `--json`. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { CliProcess } from '../harness/cli-process.js';
import { built, root } from './kit/build.js';

let folder: string;

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stakeout = (...args: string[]) => CliProcess.run(args);
const keysOf = (json: string) => Object.keys(JSON.parse(json) as object);

describe('stakeout validate', () => {
  it('finds nothing wrong with the shipped patterns', async () => {
    const text = await stakeout('validate', 'patterns');
    expect([text.status, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toMatch(/^\d+ rules fine, 0 errors, 0 warnings$/m);
    const json = await stakeout('validate', 'patterns', '--json');
    expect([json.status, JSON.parse(json.stdout)]).toEqual([0, { errors: [], warnings: [] }]);
  });

  it('shows where a pattern is wrong, and what was meant', async () => {
    const file = join(folder, 'pattern.yaml');
    const lines = readFileSync(join(root, 'patterns/offshore-drain/pattern.yaml'), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('where: amount'));
    lines[at] = '    where: amont > 10000.0';
    writeFileSync(file, lines.join('\n'));
    const text = await stakeout('validate', file);
    expect(text.status).toBe(1);
    expect(text.stdout).toContain(`${file}:${at + 1}:12`);
    expect(text.stdout).toContain('Did you mean amount?');
    const json = await stakeout('validate', file, '--json');
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout).errors).toMatchObject([{ severity: 'error', line: at + 1, column: 12 }]);
  });
});

describe('stakeout validate --witness', () => {
  it('shows a stream that fires each rule, and what to change in it', async () => {
    const json = await stakeout('validate', 'patterns/offshore-drain', '--witness', '--json');
    expect(json.status).toBe(0);
    const { witness } = JSON.parse(json.stdout);
    expect(witness).toMatchObject([
      { rule: 'offshore-drain', fires: [{ step: 'large' }, { step: 'cash' }, { step: 'offshore' }] },
    ]);
    expect(witness[0].justNot.difference).toBe('amount of t1: 10000 instead of 10001');
    const text = await stakeout('validate', 'patterns/offshore-drain', '--witness');
    expect(text.stdout).toContain('offshore-drain: fires on');
  });
});

describe('stakeout test', () => {
  it('tells what the tests have not shown, where it is asked to', async () => {
    const { status, stdout } = await stakeout('test', 'patterns/offshore-drain', '--coverage', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout).coverage).toMatchObject([
      { rule: 'offshore-drain', steps: { taken: ['large', 'cash', 'offshore'], never: [] }, conditions: { of: 2 } },
    ]);
  });

  it("passes the shipped patterns' own tests", async () => {
    const { status, stdout } = await stakeout('test', 'patterns', '--json');
    const result = JSON.parse(stdout) as { passed: number; failed: number; failures: unknown[] };
    expect([status, Object.keys(result)]).toEqual([0, ['passed', 'failed', 'failures', 'errors', 'warnings']]);
    expect([result.failed, result.failures]).toEqual([0, []]);
    expect(result.passed).toBeGreaterThanOrEqual(60);
  });

  it('fails with status 1 when a test expects what does not come', async () => {
    cpSync(join(root, 'patterns/offshore-drain'), join(folder, 'drain'), { recursive: true });
    const file = join(folder, 'drain/tests.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('amount: 12000', 'amount: 9000'));
    const { status, stdout } = await stakeout('test', join(folder, 'drain'), '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ failed: 1, failures: [{}] });
  });
});

describe('stakeout run', () => {
  it('asks the reference lists of its settings', async () => {
    const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    mkdirSync(join(folder, 'patterns/listed'), { recursive: true });
    put(
      'stakeout.yaml',
      'patterns: patterns\nstreams:\n  payments: {file: p.ndjson, key: account, time: at, id: id}\nlists:\n  sanctioned: {file: s.txt}\n',
    );
    put('s.txt', 'KP\n');
    put(
      'patterns/listed/pattern.yaml',
      'id: listed\nkey: account\npattern:\n  - {begin: a, where: "country in list(\'sanctioned\')"}\n',
    );
    const rows = ['KP', 'DE'].map((country, i) => JSON.stringify({ id: `t${i}`, at: i, account: 'A1', country }));
    put('p.ndjson', rows.join('\n'));
    const config = join(folder, 'stakeout.yaml');
    const { status, stdout } = await stakeout('run', '--config', config, '--json');
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { events: 2, alerts: 1 }]);
    put('s.txt', 'DE\nKP\n');
    expect(JSON.parse((await stakeout('run', '--config', config, '--json')).stdout)).toMatchObject({ alerts: 2 });
    rmSync(join(folder, 's.txt'));
    expect((await stakeout('run', '--config', config)).stderr).toContain('the list sanctioned cannot be read');
  });

  const config = 'examples/flink-walkthrough/stakeout.yaml';
  const START = Date.UTC(2026, 0, 1);

  /** Fifty payments on five accounts; only account 3 makes a small one and then a large one. */
  function writePayments(): void {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      transaction_id: i,
      event_time: START + i * 360_000,
      account_id: (i % 5) + 1,
      amount: i === 22 ? 0.5 : i === 27 ? 700 : 20 + i,
    }));
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/transactions.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  it('finds the one match of a file, writes it, and gives the same digest again', async () => {
    writePayments();
    const out = join(folder, 'alerts.ndjson');
    const args = ['run', '--config', config, '--data', join(folder, 'data')];
    const first = await stakeout(...args, '--json', '--out', out);
    expect([first.status, first.stderr]).toEqual([0, '']);
    expect(keysOf(first.stdout)).toEqual(
      expect.arrayContaining(['events', 'alerts', 'late', 'seconds', 'eventsPerSecond', 'digest']),
    );
    const result = JSON.parse(first.stdout) as { readonly digest: string };
    expect(result).toMatchObject({ events: 50, alerts: 1, late: 0 });
    const written = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(written).toHaveLength(1);
    const alert = JSON.parse(written[0]!) as Alert;
    expect(alert).toMatchObject({ patternId: 'small-then-large', key: '3', detectedAt: START + 27 * 360_000 });
    expect(alert.steps.map(({ step, events }) => [step, events[0]?.id])).toEqual([
      ['small', '22'],
      ['large', '27'],
    ]);
    const again = await stakeout(...args);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain(`digest ${result.digest}`);
    expect(again.stdout).toContain('1 alert,');
  });

  it('explains why a pattern did not fire, and writes near misses where a rule tells them', async () => {
    writePayments();
    const data = ['--config', config, '--data', join(folder, 'data')];
    const ask = (key: string, ...more: string[]) =>
      stakeout(
        'explain',
        ...data,
        '--pattern',
        'small-then-large',
        '--key',
        key,
        '--at',
        '2026-01-01T03:00:00Z',
        ...more,
      );
    const fired = await ask('3');
    expect([fired.status, fired.stderr]).toEqual([0, '']);
    expect(fired.stdout).toContain('It fired: 700 30 m after 0.50 on account 3');
    const not = JSON.parse((await ask('1', '--json')).stdout);
    expect(not).toMatchObject({ fired: false, key: '1', runsSeen: 0, begins: [{ step: 'small', passed: 3 }] });
    expect(not.begins[0].nearest.condition).toMatchObject({ holds: false, values: { amount: 40 }, shortBy: 39 });
    const unknown = await stakeout('explain', ...data, '--pattern', 'other', '--key', '1', '--at', 'noon');
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('--at takes a time')]);

    const telling = join(folder, 'patterns');
    const file = join(telling, 'small-then-large/pattern.yaml');
    cpSync('examples/flink-walkthrough/patterns', telling, { recursive: true });
    const text = readFileSync(file, 'utf8').replace('within: 1h', 'within: 20m\nnearMisses: true');
    writeFileSync(file, text.replace('next: large', 'followedBy: large'));
    const missed = join(folder, 'near-misses.ndjson');
    const run = await stakeout('run', ...data, '--patterns', telling, '--near-misses', missed, '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ alerts: 0, nearMisses: 1 });
    expect(JSON.parse(readFileSync(missed, 'utf8'))).toMatchObject({ key: '3', reason: 'within', missing: ['large'] });
  });

  it('says which file is missing', async () => {
    const { status, stderr } = await stakeout('run', '--config', config, '--data', folder);
    expect(status).toBe(1);
    expect(stderr).toContain(join(folder, 'transactions.ndjson'));
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('tells all that is wrong with the settings at once', async () => {
    const file = join(folder, 'stakeout.yaml');
    writeFileSync(file, 'nmae: x\nhttp: { port: 99999 }\ncommit: { interval: soon }\n');
    const { status, stderr } = await stakeout('run', '--config', file, '--data', folder);
    expect(status).toBe(1);
    for (const part of ['The settings do not hold', 'nmae', 'http.port', '99999', 'commit.interval', 'soon'])
      expect(stderr).toContain(part);
  });
});

describe('stakeout backtest', () => {
  const PAYMENTS = 20_000;

  /** Payments of 40 accounts, a fraud now and then, and a config for them. */
  function writeHistory(): string {
    const rows = Array.from({ length: PAYMENTS }, (_, i) => {
      return { id: i, account: (i * 7919) % 40, at: i * 60_000, amount: i % 97 === 0 ? 500 : (i * 31) % 200 };
    });
    const labels = rows
      .filter((row) => row.amount === 500 && row.id % 2 === 0)
      .map(({ id }) => ({ id, kind: 'large' }));
    const lines = (items: readonly object[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('');
    writeFileSync(join(folder, 'payments.ndjson'), lines(rows));
    writeFileSync(join(folder, 'labels.ndjson'), lines(labels));
    mkdirSync(join(folder, 'patterns/large'), { recursive: true });
    const rule = 'id: large\nkey: account\npattern:\n  - begin: one\n    where: amount > $' + '{least:400}\n';
    writeFileSync(join(folder, 'patterns/large/pattern.yaml'), rule);
    const config = join(folder, 'stakeout.yaml');
    const section = 'backtest:\n  labels: {file: labels.ndjson, scenario: kind}\n';
    const file =
      'streams:\n  payments: {file: payments.ndjson, key: account, time: at, id: id}\npatterns: ./patterns\n';
    writeFileSync(config, file + section);
    return config;
  }

  it('measures rules over files, the same in any number of threads', async () => {
    const config = writeHistory();
    const report = join(folder, 'report.html');
    const one = await stakeout('backtest', '--config', config, '--json', '--lanes', '1', '--report', report);
    expect([one.status, one.stderr]).toEqual([0, '']);
    const result = JSON.parse(one.stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ events: PAYMENTS, alerts: 207, recall: 1, byScenario: { large: { recall: 1 } } });
    expect(result.precision).toBeCloseTo(104 / 207, 12);
    for (const key of ['f1', 'averagePrecision', 'seconds', 'eventsPerSecond', 'digest'])
      expect(result).toHaveProperty(key);
    expect(readFileSync(report, 'utf8')).toContain('<h2>Sample alerts</h2>');
    const three = await stakeout('backtest', '--config', config, '--json', '--lanes', '3');
    expect([three.status, three.stderr]).toEqual([0, '']);
    const same = ['alerts', 'precision', 'recall', 'f1', 'averagePrecision', 'digest', 'byRule'];
    const shared = JSON.parse(three.stdout) as Record<string, unknown>;
    for (const key of same) expect([key, shared[key]]).toEqual([key, result[key]]);
  });

  it('measures the rules that a profile names', async () => {
    const config = writeHistory();
    mkdirSync(join(folder, 'ranked/any'), { recursive: true });
    writeFileSync(join(folder, 'ranked/any/pattern.yaml'), 'id: any\nkey: account\npattern:\n  - begin: one\n');
    appendFileSync(config, '  profiles: {ranking: {patterns: ./ranked}}\n');
    const { status, stdout } = await stakeout('backtest', '--config', config, '--profile', 'ranking', '--json');
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ alerts: PAYMENTS, recall: 1 })]);
  });

  it('sweeps a parameter, and fails below a threshold', async () => {
    const config = writeHistory();
    const swept = await stakeout(
      'backtest',
      '--config',
      config,
      '--sweep',
      'least=300..600:4',
      ...['--min-precision', '0.9', '--min-recall', '0.1', '--min-average-precision', '0.95'],
    );
    expect(swept.status).toBe(1);
    expect(swept.stdout).toContain('least=400: precision 0.502');
    expect(swept.stdout).toContain('least=600: precision 0.000  recall 0.000');
    expect(swept.stdout).toContain('precision is 0.5024, and must be 0.9.');
    expect(swept.stdout).toMatch(/average precision is 0\.\d{4}, and must be 0\.95\./);
    expect(swept.stdout).not.toContain('recall is');
    const none = await stakeout('backtest', '--config', config, '--min-f1', 'much');
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('--min-f1 takes a number from 0 to 1')]);
    const wrong = await stakeout('backtest', '--config', config, '--sweep', 'most=1,2');
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('the rules have no parameter most')]);
  });
});

describe('stakeout conformance', () => {
  it('passes the cases with a name', async () => {
    const { status, stdout } = await stakeout('conformance', 'test/conformance/cases/named.json', '--json');
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as { readonly passed: number; readonly failed: number };
    expect(report.failed).toBe(0);
    expect(report.passed).toBeGreaterThan(50);
  });
});

describe('the command itself', () => {
  it('refuses what it does not know with status 1, and shows the help', async () => {
    const { status, stderr } = await stakeout('strat');
    expect(status).toBe(1);
    expect(stderr).toContain('Did you mean start?');
  });
});
