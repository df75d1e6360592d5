import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRule } from '../rules/read/parse-rule.js';
import { loadSettings, type Settings } from '../runtime/settings/index.js';
import { backtest } from './backtest.js';
import { type ProtocolOptions, protocolOf } from './protocol.js';
import { type BacktestResult, resultOf } from './result.js';
import { openStreams } from './run-files.js';

const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'stakeout-backtest-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `A100@2`: a payment of 100 by account A on day 2; ids are p0, p1 … in order. */
function payments(rows: string): object[] {
  return rows.split(/\s+/).map((row, index) => {
    const [, account, amount, day] = /^([A-Z])(\d+)@([\d.]+)$/.exec(row)!;
    return { id: `p${index}`, account, amount: Number(amount), at: Math.round(Number(day) * DAY) };
  });
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const LARGE = 'id: large\nkey: account\npattern:\n  - begin: one\n    where: amount > 200\nalert: {score: 80}\n';
const PAIR =
  'id: pair\nkey: account\nwithin: 3d\npattern:\n  - begin: small\n    where: amount < 5\n  - followedBy: big\n    where: amount > 100\nalert: {score: 50}\n';

interface Case {
  readonly rows: string;
  readonly labels: readonly object[];
  /** Lines of the section `backtest`, without its labels' file. */
  readonly section?: string;
  readonly rules?: readonly string[];
  readonly options?: ProtocolOptions;
}

let files = 0;

async function measured({ rows, labels, section = '', rules = [LARGE], options = {} }: Case): Promise<BacktestResult> {
  const name = `case-${files++}`;
  writeFileSync(join(folder, `${name}.ndjson`), lines(payments(rows)));
  writeFileSync(join(folder, `${name}-labels.ndjson`), lines(labels));
  const config = join(folder, `${name}.yaml`);
  const stream = `{file: ${name}.ndjson, key: account, time: at, id: id, outOfOrderness: 0s}`;
  const sections = section.split('\n').filter((line) => line !== '');
  const own = sections.filter((line) => line.startsWith('labels.')).map((line) => `    ${line.slice(7)}`);
  const rest = sections.filter((line) => !line.startsWith('labels.')).map((line) => `  ${line}`);
  const backtestLines = ['backtest:', `  labels:`, `    file: ${name}-labels.ndjson`, ...own, ...rest];
  writeFileSync(config, [`streams:`, `  payments: ${stream}`, ...backtestLines, ''].join('\n'));
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return run(loaded.settings, rules, options);
}

async function run(settings: Settings, texts: readonly string[], options: ProtocolOptions): Promise<BacktestResult> {
  const streams = await openStreams(settings, undefined, (path) => path);
  const rules = texts.map((text) => {
    const { rule, diagnostics } = parseRule(text, 'rule.yaml', streams[0]!.schema);
    if (rule === null) throw new Error(JSON.stringify(diagnostics));
    return rule;
  });
  let seconds = 0;
  try {
    return resultOf(await backtest(streams, rules, protocolOf(settings, options), {}, () => seconds++));
  } finally {
    for (const stream of streams) await stream.file.close();
  }
}

describe('a back-test', () => {
  it('measures what alerts accuse in the scored range', async () => {
    const rows = 'A300@0 A300@1 A100@1.1 B300@1.2 B10@2 C300@3 C20@4';
    const labels = ['p0', 'p1', 'p4', 'p5'].map((id) => ({ id }));
    const all = await measured({ rows, labels });
    expect(all).toMatchObject({ events: 7, alerts: 4, precision: 0.75, recall: 0.75, f1: 0.75, scored: 7 });
    const part = await measured({ rows, labels, section: 'from: 1970-01-02\nto: 1970-01-04' });
    expect(part).toMatchObject({ alerts: 2, precision: 0.5, recall: 0.5, scored: 4 });
    expect(part.detection).toMatchObject({ truePositives: 1, falsePositives: 1, frauds: 2, falsePerTrue: 1 });
    const said = await measured({ rows, labels, options: { from: 3 * DAY, to: 9 * DAY } });
    expect(said).toMatchObject({ alerts: 1, precision: 1, recall: 1, scored: 2 });
  });

  it('lets what came before the range warm up the rules', async () => {
    const rows = 'A1@0.5 A150@1.5';
    const result = await measured({ rows, labels: [{ id: 'p1' }], section: 'from: 1970-01-02', rules: [PAIR] });
    expect(result).toMatchObject({ alerts: 1, precision: 1, recall: 1 });
  });

  it.each([
    ['last', '', ['p1']],
    ['all', 'accuse: all', ['p0', 'p1']],
    ['a step', 'accuse: small', ['p0']],
    ['what the rule says', 'accuse: small', ['p1'], PAIR.replace('{score: 50}', '{score: 50, accuses: [big]}')],
  ] as const)('accuses %s', async (_, section, accused, rule: string = PAIR) => {
    const labels = accused.map((id) => ({ id }));
    const result = await measured({ rows: 'A1@0 A150@1', labels, section, rules: [rule] });
    expect(result).toMatchObject({ precision: 1, recall: 1, detection: { accused: accused.length } });
  });

  it('counts a transaction once however many alerts accuse it', async () => {
    const rows = 'A1@0 A300@1 B300@2';
    const both = { rows, labels: [{ id: 'p1' }], rules: [LARGE, PAIR] };
    expect(await measured(both)).toMatchObject({ alerts: 2, precision: 0.5, detection: { accused: 2 } });
    expect(await measured({ ...both, section: 'onePerTransaction: false' })).toMatchObject({
      ...{ alerts: 3, precision: 0.5 },
      byRule: { large: { accused: 2, truePositives: 1 }, pair: { accused: 1, truePositives: 1 } },
    });
  });

  it('ranks by score, and everybody whom no alert accuses last', async () => {
    const rows = 'A1@0 A150@1 B300@2 C9@3 D9@4';
    const labels = [{ id: 'p2' }, { id: 'p3' }];
    const result = await measured({ rows, labels, rules: [LARGE, PAIR] });
    // 80: p2 (fraud); 50: p1; 0: three, of which one is fraud.
    expect(result.averagePrecision).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 5), 12);
    expect(result.rocAuc).toBeCloseTo((3 + 0 + 1) / 6, 12);
  });

  it.each([
    ['max', 80],
    ['sum', 100],
    ['noisyOr', 90],
  ])('puts scores together by %s', async (combine, threshold) => {
    const section = `combine: ${combine}`;
    const loose = await measured({ rows: 'A1@0 A300@1', labels: [{ id: 'p1' }], section, rules: [LARGE, PAIR] });
    expect(loose.curve[0]).toMatchObject({ threshold, truePositives: 1 });
  });

  it('tells recall by kind of fraud', async () => {
    const labels = [
      { id: 'p0', kind: 'a' },
      { id: 'p1', kind: 'b' },
      { id: 'p2', kind: 'b' },
    ];
    const result = await measured({ rows: 'A300@0 B300@0 B1@1', labels, section: 'labels.scenario: kind' });
    expect(result.byScenario).toMatchObject({ a: { frauds: 1, found: 1, recall: 1 }, b: { frauds: 2, found: 1 } });
  });

  it('takes rows that say they are genuine for that', async () => {
    const labels = [
      { id: 'p0', bad: 1 },
      { id: 'p1', bad: 0 },
    ];
    const result = await measured({ rows: 'A300@0 B300@0', labels, section: 'labels.fraud: bad' });
    expect(result).toMatchObject({ precision: 0.5, recall: 1 });
  });

  it('measures by account where labels are of accounts', async () => {
    const rows = 'A300@0 A300@1 B300@2 C1@3 D1@4';
    const labels = [{ id: 'A' }, { id: 'C' }];
    const result = await measured({ rows, labels, section: 'labels.of: account' });
    expect(result).toMatchObject({ precision: 0.5, recall: 0.5, scored: 4, alerts: 2, topK: null });
  });

  it('leaves out those with a fraud that was known before the day', async () => {
    // The fraud of day 1 is known on day 3: from day 4 on A is left out.
    const rows = 'A300@1 A300@3.5 A300@4.5 B300@4.5';
    const section = 'from: 1970-01-04\nlabels.knownAfter: 2d\nexclude: {key: account}';
    const labels = ['p0', 'p1', 'p2', 'p3'].map((id) => ({ id }));
    const result = await measured({ rows, labels, section });
    expect(result).toMatchObject({ alerts: 2, scored: 2, detection: { frauds: 2, truePositives: 2 } });
    const later = await measured({ rows, labels, section: section.replace('account', 'account, since: 1970-01-03') });
    expect(later).toMatchObject({ alerts: 3, scored: 3 });
  });

  it('lays a profile over the section', async () => {
    const section = 'from: 1970-01-02\nprofiles:\n    early: {from: 1970-01-01, to: 1970-01-02}';
    const rows = 'A300@0 B300@1 B300@2';
    expect(await measured({ rows, labels: [], section })).toMatchObject({ alerts: 2, profile: null });
    const early = await measured({ rows, labels: [], section, options: { profile: 'early' } });
    expect(early).toMatchObject({ alerts: 1, scored: 1, profile: 'early' });
    await expect(measured({ rows, labels: [], section, options: { profile: 'late' } })).rejects.toThrow(
      'The config has no profile late; it has: early.',
    );
  });

  it('gives the digest of the alerts that were complete in the range', async () => {
    const rows = 'A300@0 B300@1 B300@2';
    const all = await measured({ rows, labels: [] });
    const part = await measured({ rows, labels: [], section: 'from: 1970-01-02' });
    expect(part.digest).not.toBe(all.digest);
  });
});
