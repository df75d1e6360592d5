/** A short run of `test/chaos/upgrade.ts`, from this version to itself: real Kafka, from one process to three, one replaced, and back to one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences, sums } from '../chaos/report.js';
import { rolling } from '../chaos/rolling.js';
import { built, root } from '../e2e/kit/build.js';
import { SERVER_START_MS } from '../harness/servers/index.js';

it(
  'loses and doubles nothing while processes come, are replaced, and go',
  async () => {
    await built();
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-rolling-spec-'));
    const said: string[] = [];
    const outcome = await rolling({
      ...{ home: root, oldHome: root, isShort: true, folder, delivery: 'exactly-once', seed: 1, nodes: 1 },
      ...{ unitsPerSecond: 20, patienceMs: 120_000, say: (text) => void said.push(text) },
    });
    const wrong = differences(outcome, 'exactly-once');
    if (wrong.length > 0) throw new Error([...said, ...sums(outcome), ...wrong, `logs: ${folder}`].join('\n'));
    rmSync(folder, { recursive: true, force: true });
    expect(outcome.steps.map(({ what }) => what)).toEqual([
      'the old version alone',
      'from one process to three',
      'b upgraded',
      'from three processes to one',
    ]);
    expect(outcome.expected).toBeGreaterThan(50);
    expect(outcome).toMatchObject({ found: outcome.expected, repeats: 0, missing: [], unexpected: [] });
    expect(outcome.replays.map(({ equal }) => equal)).toEqual([true, true, true]);
  },
  2 * SERVER_START_MS,
);
