import { FAULTS_OF, Tally } from './world/faults.js';
import type { SimulatedDelivery } from './world/sim-world.js';
import { simulate, uninterrupted } from './world/simulate.js';

/**
 * Lanes of one group on simulated machines, log, disks, clocks and network; see `world/sim-world.ts`. One seed is one history.
 * What is committed in the end must be what the records and the journal say, and, where the journal says nothing, what one lane
 * gives that nothing happened to.
 *
 * `SEEDS=50000 npm test -- test/simulation/simulation` runs more; `SEED=17 MODE=exactly-once npm test -- test/simulation/simulation` runs one, and shows
 * what happened in it.
 */
const { SEED, SEEDS, FIRST, MODE } = process.env;
const DEFAULT_SEEDS = 150;
/** From here on each fault of each effect must have happened. */
const ENOUGH_SEEDS = 150;
const MODES: readonly SimulatedDelivery[] = ['exactly-once', 'at-least-once', 'switching'];
const TIMEOUT_MS = 4 * 3_600_000;
const SHOWN = 3;

const first = SEED === undefined ? Number(FIRST ?? 1) : Number(SEED);
const count = SEED === undefined ? Number(SEEDS ?? DEFAULT_SEEDS) : 1;
const modes = MODES.filter((mode) => MODE === undefined || MODE === mode);

describe('lanes to which everything happens that can', () => {
  const total = new Tally();

  it.each(modes)(
    `commit what a replay gives, %s, over ${count} seeds from ${first}`,
    async (mode) => {
      const differing: string[] = [];
      for (let seed = first; seed < first + count; seed++) {
        const { problems, tally, trace } = await simulate(seed, mode, SEED !== undefined);
        total.take(tally);
        if (trace.length > 0) process.stdout.write(`${trace.join('\n')}\n`);
        if (problems.length === 0) continue;
        total.add(`differences, ${mode}`);
        const rerun = `SEED=${seed} MODE=${mode} npm test -- test/simulation/simulation`;
        if (differing.length < SHOWN) differing.push([`to rerun: ${rerun}`, ...problems.slice(0, SHOWN)].join('\n  '));
        // So that what a test run does beside this has its turn.
        if (seed % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      total.add(`seeds, ${mode}`, count);
      expect(differing).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('were hit by every fault at every effect', () => {
    if (count > DEFAULT_SEEDS) process.stdout.write(`${total.table()}\n`);
    if (count < ENOUGH_SEEDS || modes.length < MODES.length) return;
    const wanted = Object.entries(FAULTS_OF).flatMap(([effect, faults]) => faults.map((f) => `${f}, ${effect}`));
    expect(wanted.filter((kind) => (total.counts.get(kind) ?? 0) === 0)).toEqual([]);
    expect(total.counts.get('compared with an uninterrupted run')).toBeGreaterThan(count / 10);
    expect(total.counts.get('state written in chunks')).toBeGreaterThan(count / 10);
    expect(total.counts.get('outputs')).toBeGreaterThan(10 * count);
    expect(total.counts.get('journal: rules filled')).toBeGreaterThan(count / 30);
  });

  it('do the same for the same seed', async () => {
    const [once, again] = [await simulate(first, 'switching', true), await simulate(first, 'switching', true)];
    expect(once.trace.length).toBeGreaterThan(20);
    expect(once.trace).toEqual(again.trace);
  });

  it('are compared with something: an output that is missing, or there twice, is found', async () => {
    const { compareWith } = await uninterrupted(first);
    expect(compareWith((list) => list)).toEqual([]);
    expect(compareWith((list) => list.slice(1)).join()).toMatch(/missing/);
    expect(compareWith((list) => [...list, list[0]!]).join()).toMatch(/twice/);
    expect(compareWith((list) => [...list, 'something else']).join()).toMatch(/not to be there/);
  });
});
