import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRules } from '../../rules/index.js';
import { loadSettings } from '../../runtime/settings/index.js';
import { dice } from '../../runtime/testing/dice.js';
import { type BacktestInput, backtest, backtestLane } from '../backtest.js';
import type { LaneResult } from '../findings/lane-result.js';
import { measure } from '../measure.js';
import { planOf } from '../plan/plan.js';
import { protocolOf } from '../plan/protocol.js';
import { resultOf } from '../result.js';
import { openStreams } from '../run/file-streams.js';
import { CutFile } from '../testing/cut-file.js';
import { MemoryCheckpoints, untilDone } from '../testing/memory-checkpoints.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-resume-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Each kind of what a key can hold: runs, a shared graph, windows of features, windows that emit; keys of several forms, a join, features of another key. */
const RULES = [
  'id: pair\nkey: account\nfrom: payments\nwithin: 2d\npattern:\n  - begin: small\n    where: amount < 20\n  - followedBy: big\n    where: amount > 200\nskip: pastLastEvent\nalert: {score: 50}',
  'id: any\nkey: shop\nfrom: payments\nwithin: 1d\npattern:\n  - begin: one\n    where: amount > 100\n  - followedByAny: other\n    where: amount > 250\nskip: noSkip\nalert: {accuses: all}',
  'id: usual\nkey: account\nfrom: payments\nfeatures:\n  - {name: usual, avg: amount, over: 5d, lagging: 1ms}\n  - {name: middle, median: amount, over: 5d}\n  - {name: shops, distinct: shop, over: 2d}\npattern:\n  - begin: one\n    where: amount > 2 * usual && amount > middle && shops >= 2\nalert: {score: "amount / usual * 10", message: "{{ usual }} {{ shops }}"}',
  'id: joined\nkey: account\nwithin: 1d\npattern:\n  - begin: login\n    from: logins\n  - next: paid\n    from: payments\n    where: amount > 200',
  'id: quiet\nkey: account\nfrom: payments\nwithin: 1d\npattern:\n  - begin: big\n    where: amount > 280\n  - notFollowedBy: small\n    where: amount < 20',
  'id: sums\nkey: account\nfrom: payments\nwindow:\n  tumbling: 1d\n  aggregates:\n    - {name: total, sum: amount}\n  having: total > 900\nalert: {severity: low}',
  'id: two\nkey: [account, shop]\nfrom: payments\nwithin: 3d\npattern:\n  - begin: a\n    where: amount > 150\n  - followedBy: b\n    where: amount > 150',
  'id: elsewhere\nkey: account\nfrom: payments\nwithin: 2d\nfeatures:\n  - {name: there, distinct: account, over: 2d, key: shop}\n  - {name: spent, sum: amount, over: 3d, lagging: 1h, where: amount > 50, key: shop}\npattern:\n  - begin: a\n    where: there >= 4 && amount > 200\n  - followedBy: b\n    where: amount > 0.05 * spent\nalert: {message: "{{ there }} {{ spent }}"}',
];

/** Events of six accounts in twelve days, up to two hours out of order, and some later than that. */
function history(seed: number) {
  const roll = dice(seed);
  const row = (i: number) => ({
    at: Math.floor((i * 12 * DAY) / 420) + roll(HOUR * 2) - (roll(30) === 0 ? 9 * HOUR : 0),
    account: 'ABCDEF'[roll(6)]!,
  });
  const payments = Array.from({ length: 420 }, (_, i) => ({
    ...{ ...row(i), id: `p${i}` },
    ...{ shop: `s${roll(4)}`, amount: roll(300) },
  }));
  const logins = Array.from({ length: 210 }, (_, i) => ({ ...row(i * 2), id: `l${i}` }));
  const labels = payments.filter(() => roll(9) === 0).map(({ id }) => ({ id, kind: 'ab'[roll(2)] }));
  return { payments, logins, labels };
}

/** A new process each time: all is opened and read anew. */
async function attempts(seed: number) {
  const write = (name: string, rows: readonly object[]): void =>
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { payments, logins, labels } = history(seed);
  write(`payments-${seed}.ndjson`, payments);
  write(`logins-${seed}.ndjson`, logins);
  write(`labels-${seed}.ndjson`, labels);
  const config = join(folder, `${seed}.yaml`);
  const stream = (name: string): string =>
    `  ${name}: {file: ${name}-${seed}.ndjson, key: account, time: at, id: id, outOfOrderness: 2h}`;
  const section = `backtest: {from: 1970-01-04, labels: {file: labels-${seed}.ndjson, scenario: kind}, amount: amount}`;
  writeFileSync(config, ['streams:', stream('payments'), stream('logins'), section, ''].join('\n'));
  const files = RULES.map((text, i) => {
    const file = join(folder, `${seed}-${i}.rule.yaml`);
    writeFileSync(file, `${text}\n`);
    return file;
  });
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  const { settings } = loaded;
  return async <T>(act: (input: BacktestInput) => Promise<T>): Promise<T> => {
    const opened = await openStreams(settings, { data: undefined, relative: (path) => path });
    try {
      const read = await loadRules(files, {
        schemas: opened.map(({ schema }) => schema),
        streams: opened.map(({ schema, settings: { name } }) => ({ name, schema })),
      });
      expect(read.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
      const streams = opened.map((of) => ({ ...of, file: new CutFile(of.file, 41) }));
      let seconds = 0;
      const plan = planOf(read.rules, [['baseline', read.rules.slice(1)]]);
      return await act({ streams, plan, protocol: protocolOf(settings), now: () => seconds++ });
    } finally {
      for (const { file } of opened) await file.close();
    }
  };
}

describe('a back-test that is cut short', () => {
  it.each([1, 2, 3])('at every checkpoint has the result of one that was not (seed %i)', async (seed) => {
    const attempt = await attempts(seed);
    const told = (done: Awaited<ReturnType<typeof backtest>>) => {
      const { seconds: _, eventsPerSecond: __, ...figures } = resultOf(measure(done, [], new Map()));
      return { ...figures, samples: done.findings.samples };
    };
    const whole = await attempt(backtest);
    expect(Object.keys(whole.run.byPattern).length).toBe(RULES.length);
    expect(whole.run.late).toBeGreaterThan(0);
    for (const lanes of [1, 2]) {
      const kept = Array.from({ length: lanes }, () => new MemoryCheckpoints(() => true));
      const resumed: number[] = [];
      const laneOf = (index: number) =>
        untilDone(() =>
          attempt((input) => {
            const progress = { onResumed: (events: number) => void resumed.push(events) };
            return backtestLane({ ...input, checkpoints: kept[index]!, progress }, { index, of: lanes });
          }),
        );
      const results: Promise<LaneResult>[] = [];
      for (let index = 0; index < lanes; index++) results.push(Promise.resolve(await laneOf(index)));
      expect(told(await attempt((input) => backtest(input, results)))).toEqual(told(whole));
      expect(kept[0]!.saved).toBeGreaterThan(15);
      // After each crash it went on, the last time with the result alone.
      expect(resumed.length).toBe(kept.reduce((sum, { saved }) => sum + saved, 0));
      expect(resumed.slice(0, 5)).toEqual(resumed.slice(0, 5).toSorted((a, b) => a - b));
    }
  });

  it('has the same result where nothing is cut short', async () => {
    const attempt = await attempts(4);
    const [plain, kept] = [
      await attempt(backtest),
      await attempt((input) => backtest({ ...input, checkpoints: new MemoryCheckpoints() })),
    ];
    expect(kept.run.digest).toBe(plain.run.digest);
    expect(kept.run.alerts).toBeGreaterThan(50);
  });
});
