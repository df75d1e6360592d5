/** A short run of `test/chaos/run.ts`: real Kafka on three brokers, two processes of the service, and what goes wrong in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { campaign } from '../chaos/campaign.js';
import { differences, table } from '../chaos/report.js';
import { built, root } from '../e2e/kit/build.js';
import { SERVER_START_MS } from '../harness/servers/index.js';

it(
  'loses and doubles nothing while services and a broker are killed, with kill -9, and a state folder is gone',
  async () => {
    await built();
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-chaos-spec-'));
    const said: string[] = [];
    const outcome = await campaign({
      plan: [['kill', 'kill broker'], ['state deleted']],
      ...{ seed: 1, nodes: 3, delivery: 'exactly-once', unitsPerSecond: 20, home: root, folder },
      ...{ patienceMs: 90_000, roundsMaxMs: 120_000, say: (text) => void said.push(text) },
    });
    const wrong = differences(outcome, 'exactly-once');
    if (wrong.length > 0) throw new Error([...said, table(outcome, 'exactly-once'), `logs: ${folder}`].join('\n'));
    rmSync(folder, { recursive: true, force: true });
    expect(outcome.rounds.map(({ faults }) => faults)).toEqual([['kill', 'kill broker'], ['state deleted']]);
    expect(outcome.expected).toBeGreaterThan(100);
    expect(outcome).toMatchObject({ found: outcome.expected, repeats: 0, missing: [], unexpected: [] });
    expect(outcome.replays.map(({ equal }) => equal)).toEqual([true, true, true]);
  },
  2 * SERVER_START_MS,
);
