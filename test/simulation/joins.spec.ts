import { FAULTS_OF, Tally } from './world/faults.js';
import type { SimulatedDelivery } from './world/sim-world.js';
import { simulateJoins } from './world/simulate-joins.js';

/**
 * Lanes that join two streams, on simulated machines; see `world/two-streams.ts`.
 *
 * `SEEDS=5000 npm test -- test/simulation/joins` runs more; `SEED=17 MODE=exactly-once npm test -- test/simulation/joins` runs one, and shows what
 * happened in it.
 */
const { SEED, SEEDS, FIRST, MODE } = process.env;
const DEFAULT_SEEDS = 25;
/** From here on each fault of each effect must have happened. */
const ENOUGH_SEEDS = 400;
const MODES: readonly SimulatedDelivery[] = ['exactly-once', 'at-least-once', 'switching'];
const TIMEOUT_MS = 4 * 3_600_000;
const SHOWN = 3;

const first = SEED === undefined ? Number(FIRST ?? 1) : Number(SEED);
const count = SEED === undefined ? Number(SEEDS ?? DEFAULT_SEEDS) : 1;
const modes = MODES.filter((mode) => MODE === undefined || MODE === mode);

describe('lanes that join two streams', () => {
  const total = new Tally();

  it.each(modes)(
    `find what a run finds that nothing happens to, %s, over ${count} seeds from ${first}`,
    async (mode) => {
      const differing: string[] = [];
      for (let seed = first; seed < first + count; seed++) {
        const { problems, tally, trace } = await simulateJoins(seed, mode, SEED !== undefined);
        total.take(tally);
        if (trace.length > 0) process.stdout.write(`${trace.join('\n')}\n`);
        // So that what a test run does beside this has its turn.
        if (seed % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (problems.length === 0) continue;
        const rerun = `SEED=${seed} MODE=${mode} npm test -- test/simulation/joins`;
        if (differing.length < SHOWN) differing.push([`to rerun: ${rerun}`, ...problems.slice(0, SHOWN)].join('\n  '));
      }
      expect(differing).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('find something, and have events forwarded', () => {
    if (count < DEFAULT_SEEDS || modes.length < MODES.length) return;
    const routed = ['g-by-user', 'rows-by-device', 'g-features-by-device', 'g-features-by-device-by-account'];
    for (const topic of ['alerts', 'late', 'dead-letters', ...routed])
      expect([topic, (total.counts.get(`joined: ${topic}`) ?? 0) > count]).toEqual([topic, true]);
    if (count < ENOUGH_SEEDS) return;
    process.stdout.write(`${total.table()}\n`);
    const wanted = Object.entries(FAULTS_OF).flatMap(([effect, faults]) => faults.map((f) => `${f}, ${effect}`));
    expect(wanted.filter((kind) => (total.counts.get(kind) ?? 0) === 0)).toEqual([]);
  });
});
