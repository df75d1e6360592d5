/** Savepoints that earlier releases wrote: each folder `v…` holds one of the rows in `scenario.ts`. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSavepoint } from '../../src/runtime/savepoint/file-reader.js';
import { planSameTopics } from '../../src/runtime/savepoint/plan-same.js';
import { RELEASE, World } from './kit.js';
import { AFTER, BEFORE, PARTITIONS } from './scenario.js';

const signal = new AbortController().signal;
const fixtures = globSync('v*/all-kinds.savepoint', { cwd: import.meta.dirname });

/** What an uninterrupted run finds in the rows after the savepoint, by partition. */
const expected = readFileSync(join(import.meta.dirname, 'expected.txt'), 'utf8')
  .trim()
  .split('\n');

it('there are some', () => expect(fixtures.length).toBeGreaterThan(0));

describe.each(fixtures)('the savepoint %s', (name) => {
  it('loads, and what follows is found as if nothing had come between', async () => {
    const file = await openSavepoint(join(import.meta.dirname, name), RELEASE);
    expect(file.totals.keys).toEqual([3, 2]);
    const world = await World.of(PARTITIONS);
    await world.send(BEFORE);
    const plan = await planSameTopics([file], { log: world.log, release: RELEASE, signal });
    await world.restore(plan);
    await world.run(AFTER);
    expect((await world.alerts()).toSorted()).toEqual(expected);
  });

  it('has what an uninterrupted run finds', async () => {
    const world = await World.of(PARTITIONS);
    await world.run(BEFORE);
    const before = (await world.alerts()).length;
    await world.run(AFTER);
    expect((await world.alerts()).slice(before).toSorted()).toEqual(expected);
  });
});
