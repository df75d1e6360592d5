import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRules } from '../../rules/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { loadSettings } from '../../runtime/settings/index.js';
import { openStreams } from './file-streams.js';
import type { Lane } from './lane.js';
import { runFiles } from './run-files.js';
import type { RunResult } from './run-options.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-run-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Row = Readonly<Record<string, unknown>>;

interface Case {
  readonly streams: Readonly<Record<string, readonly Row[]>>;
  /** Settings of all streams, or of one by its name. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly rules: readonly string[];
  readonly lane?: Lane;
}

let cases = 0;

/** Runs rules over files; an alert is told as `rule key: ids`. */
async function run({
  streams,
  settings = {},
  rules,
  lane,
}: Case): Promise<RunResult & { readonly told: readonly string[] }> {
  const name = `case-${cases++}`;
  const config = join(folder, `${name}.yaml`);
  const lines = Object.entries(streams).map(([stream, rows]) => {
    const file = `${name}-${stream}.ndjson`;
    writeFileSync(join(folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return `  ${stream}: {file: ${file}, time: at, id: id, ${settings[stream] ?? settings['*'] ?? 'outOfOrderness: 0s'}}`;
  });
  writeFileSync(config, ['streams:', ...lines, ''].join('\n'));
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  const files = rules.map((text, i) => {
    const file = join(folder, `${name}-${i}.rule.yaml`);
    writeFileSync(file, text);
    return file;
  });
  const open = await openStreams(loaded.settings, { relative: (path) => path });
  try {
    const read = await loadRules(files, { schemas: open.map(({ schema }) => schema) });
    expect(read.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const alerts: Alert[] = [];
    const listener = { onAlert: (alert: Alert) => void alerts.push(alert) };
    const result = await runFiles(open, read.rules, listener, () => 0, lane === undefined ? {} : { lane });
    const told = alerts.map(({ patternId, key, steps }) => {
      return `${patternId} ${key}: ${steps.flatMap((step) => step.events.map((event) => event.id)).join(' ')}`;
    });
    return { ...result, told };
  } finally {
    for (const stream of open) await stream.file.close();
  }
}

const NEXT = `id: next
key: user
within: 1h
pattern: [{begin: login, from: logins}, {next: paid, from: payments}]`;

const payment = (id: string, at: number, more: Row = {}): Row => ({ id, at, user: 'A', amount: 1, ...more });
const login = (id: string, at: number, more: Row = {}): Row => ({ id, at, user: 'A', ip: 'x', ...more });

describe('rules over several files', () => {
  it('see the events of all in order of event time', async () => {
    const streams = { payments: [payment('p1', 5), payment('p2', 15)], logins: [login('l1', 10), login('l2', 20)] };
    expect((await run({ streams, rules: [NEXT] })).told).toEqual(['next A: l1 p2']);
  });

  it.each([
    ['payments first', ['payments', 'logins'], []],
    ['logins first', ['logins', 'payments'], ['next A: l p']],
  ])('see events of one time in the order of the settings: %s', async (_, order, told) => {
    const rows = { payments: [payment('p', 5)], logins: [login('l', 5)] };
    const streams = Object.fromEntries(order.map((name) => [name, rows[name as keyof typeof rows]]));
    expect((await run({ streams, rules: [NEXT] })).told).toEqual(told);
  });

  it('wait for the stream that may still bring earlier events', async () => {
    const streams = {
      payments: [payment('p1', 40), payment('p2', 1)],
      logins: [login('l1', 30), login('l2', 500), login('l3', 480), login('l4', 471)],
    };
    const settings = { payments: 'outOfOrderness: 0s', logins: 'outOfOrderness: 25ms' };
    const result = await run({ streams, settings, rules: [NEXT] });
    expect(result.told).toEqual(['next A: l1 p1']);
    expect([result.events, result.late]).toEqual([6, 2]);
  });

  it('take them in the order of arrival where they say so', async () => {
    const streams = {
      payments: [payment('p1', 100, { came: 1 }), payment('p2', 5, { came: 4 })],
      logins: [login('l1', 50, { came: 2 }), login('l2', 1, { came: 3 })],
    };
    const settings = { '*': 'mode: arrival, arrival: came' };
    expect((await run({ streams, settings, rules: [NEXT] })).told).toEqual(['next A: l2 p2']);
  });

  it('do not stop a rule over one stream from running on it alone', async () => {
    const large = 'id: large\nkey: user\nfrom: payments\npattern: [{begin: a}, {next: b}]\nwithin: 1h';
    const streams = { payments: [payment('p1', 5), payment('p2', 15)], logins: [login('l', 10)] };
    const both = await run({ streams, rules: [large, NEXT] });
    expect(both.told).toEqual(['large A: p1 p2', 'next A: l p2']);
    const alone = await run({ streams, rules: [large] });
    expect([alone.told, alone.events]).toEqual([['large A: p1 p2'], 2]);
  });

  it('count an event for each of its keys', async () => {
    const mule = `id: mule
key: {each: [user, to]}
from: payments
within: 1h
pattern: [{begin: came, where: to == key}, {followedBy: went, where: user == key}]`;
    const streams = { payments: [payment('p1', 1, { to: 'B' }), payment('p2', 2, { user: 'B', to: 'C' })] };
    expect((await run({ streams, rules: [mule] })).told).toEqual(['mule B: p1 p2']);
  });

  it('go on through files of many batches', async () => {
    const count = 20_000;
    const rows = (make: typeof login, id: string, shift: number) =>
      Array.from({ length: count }, (_, i) => make(`${id}${i}`, 10 * i + shift, { user: `U${i % 7}` }));
    const streams = { payments: rows(payment, 'p', 5), logins: rows(login, 'l', 0) };
    const result = await run({ streams, rules: [NEXT.replace('1h', '1s')] });
    expect([result.events, result.alerts, result.late]).toEqual([2 * count, count, 0]);
    expect(result.told.slice(0, 2)).toEqual(['next U0: l0 p0', 'next U1: l1 p1']);
  });
});

describe('rules with features of another key', () => {
  const HERE = `id: here
key: user
from: payments
within: 200ms
features:
  - {name: seen, distinct: user, over: 300ms, from: [payments, logins], key: place}
  - {name: paid, sum: amount, over: 500ms, lagging: 20ms, key: [place, shop]}
pattern: [{begin: a, where: seen >= 3 && paid > 4}, {followedBy: b, where: seen > 1}]
alert: {message: "{{ seen }} with {{ paid }}"}`;
  const rows = (make: typeof login, id: string, from: number) =>
    Array.from({ length: 400 }, (_, i) => {
      const place = (i * 7 + from) % 5 === 0 ? {} : { place: `h${(i * 13 + from) % 4}`, shop: `s${i % 2}` };
      return make(`${id}${i}`, 20 * i + from, { user: `U${(i * 11 + from) % 9}`, ...place });
    });
  const streams = { payments: rows(payment, 'p', 7), logins: rows(login, 'l', 0) };

  it('find the same in one lane as in several, each of which counts for all keys', async () => {
    const alone = await run({ streams, rules: [HERE] });
    expect(alone.told.length).toBeGreaterThan(20);
    for (const lanes of [2, 4]) {
      const told: string[] = [];
      for (let index = 0; index < lanes; index++)
        told.push(...(await run({ streams, rules: [HERE], lane: { index, of: lanes } })).told);
      expect(told.sort()).toEqual([...alone.told].sort());
    }
  });

  it('find the same where the streams are read by rules of other keys as well', async () => {
    const alone = await run({ streams, rules: [HERE] });
    const joined = await run({ streams, rules: [NEXT, HERE] });
    expect(joined.told.filter((line) => line.startsWith('here'))).toEqual(alone.told);
  });
});
