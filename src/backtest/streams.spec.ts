import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRule } from '../rules/read/parse-rule.js';
import { loadSettings } from '../runtime/settings/index.js';
import { backtest } from './backtest.js';
import { measure } from './measure.js';
import { planOf } from './plan/plan.js';
import { protocolOf } from './plan/protocol.js';
import { resultOf } from './result.js';
import { openStreams } from './run/file-streams.js';

const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'stakeout-two-streams-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Payments and, with the same ids, their chargebacks a day later; the payments are scored. */
async function measured(rules: readonly string[]) {
  const write = (name: string, rows: readonly object[]): void =>
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const payments = [0, 1, 2, 3].map((n) => ({ id: n, card: 'c', amount: 100 * n, at: n * DAY }));
  write('payments.ndjson', payments);
  write('chargebacks.ndjson', [{ ...payments[1], at: 2.5 * DAY }]);
  write('labels.ndjson', [{ id: 1 }, { id: 3 }]);
  const stream = (name: string): string =>
    `  ${name}: {file: ${name}.ndjson, key: card, time: at, id: id, outOfOrderness: 0s}`;
  const config = join(folder, 'stakeout.yaml');
  const section = 'backtest:\n  labels: {file: labels.ndjson, stream: payments}\n';
  writeFileSync(config, `streams:\n${stream('chargebacks')}\n${stream('payments')}\n${section}`);
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  const streams = await openStreams(loaded.settings, { relative: (path) => path });
  const known = streams.map(({ settings, schema }) => ({ name: settings.name, schema }));
  const read = rules.map((text) => parseRule(text, 'rule.yaml', known));
  const plan = planOf(read.map(({ rule, diagnostics }) => rule ?? fail(diagnostics)));
  try {
    const input = { streams, plan, protocol: protocolOf(loaded.settings), now: () => 0 };
    return resultOf(measure(await backtest(input), [], new Map()));
  } finally {
    for (const { file } of streams) await file.close();
  }
}

function fail(why: unknown): never {
  throw new Error(JSON.stringify(why));
}

describe('a back-test of several streams', () => {
  it('scores the events of one, whatever the others have the same ids', async () => {
    const rule =
      'id: after-chargeback\nkey: card\nwithin: 5d\npattern:\n  - begin: back\n    from: chargebacks\n  - followedBy: pay\n    from: payments\nalert: {accuses: all}\n';
    expect(await measured([rule])).toMatchObject({ scored: 4, events: 5, alerts: 1, precision: 1, recall: 0.5 });
  });

  it('counts what there is to find where no rule reads the stream that is scored', async () => {
    const rule = 'id: any-chargeback\nkey: card\npattern:\n  - begin: back\n    from: chargebacks\n';
    expect(await measured([rule])).toMatchObject({ scored: 4, alerts: 0, recall: 0, detection: { frauds: 2 } });
  });
});
