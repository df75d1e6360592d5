import { readAll, ruleOf, ruleSetOf } from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import { ALL_KINDS, RELEASE, rowsOf, World } from '../../../test/savepoints/kit.js';
import { AFTER, BEFORE } from '../../../test/savepoints/scenario.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { PartitionState, StateBatch } from '../ports/state-store.js';
import { decodeCut } from '../task/stored/cut.js';
import { openSavepoint } from './file-reader.js';
import { occupiedBy, type RestorePlan } from './plan.js';
import { planSameTopics } from './plan-same.js';
import { viewOf } from './state-view.js';

const signal = new AbortController().signal;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function planOf(world: World, ...paths: readonly string[]): Promise<RestorePlan> {
  const files = await Promise.all(paths.map((path) => openSavepoint(path, RELEASE)));
  return planSameTopics(files, { log: world.log, release: RELEASE, signal });
}

async function uninterrupted(partitions: number): Promise<string[]> {
  const world = await World.of(partitions);
  await world.run([...BEFORE, ...AFTER]);
  return (await world.alerts()).toSorted();
}

describe('a savepoint, in the topics that it was taken of', () => {
  it('goes on after the state was lost, and all is found once', async () => {
    const world = await World.of(2);
    await world.run(BEFORE);
    const { path } = await world.take();
    world.store = new MemoryStateStore();
    const plan = await planOf(world, path);
    expect(await occupiedBy(plan, { log: world.log, store: world.store, group: 'g' })).toEqual({
      state: [],
      offsets: [],
    });
    await world.restore(plan);
    const reports: string[] = [];
    await world.run(AFTER, { report: (text) => void reports.push(text) });
    expect(reports).toEqual([]);
    expect((await world.alerts()).toSorted()).toEqual(await uninterrupted(2));
  });

  it('is replayed up to what had been committed where the service did not stop in good order', async () => {
    const world = await World.of(2);
    await world.run(BEFORE.slice(0, 10));
    const older = world.store;
    const stored = new MemoryStateStore();
    for (const p of world.all) {
      const [from, to] = [await older.partition(p), await stored.partition(p)];
      const puts = await all(from.entries());
      await to.write({ position: 0, cut: (await from.cut())!, puts, deletes: [] });
    }
    await world.run(BEFORE.slice(10));
    world.store = stored;
    const { path, header } = await world.take();
    expect(header.partitions.map(({ committed, position }) => committed - position).reduce((a, b) => a + b)).toBe(
      BEFORE.length - 10,
    );
    world.store = new MemoryStateStore();
    const plan = await planOf(world, path);
    await world.restore(plan);
    await world.run(AFTER);
    expect((await world.alerts()).toSorted()).toEqual(await uninterrupted(2));
  });

  it('goes back behind what was done since, which is then done anew', async () => {
    const world = await World.of(1);
    await world.run(BEFORE);
    const { path } = await world.take();
    const found = (await world.alerts()).length;
    // Other rules leave entries in the journal, which are of a past that is left.
    const others = { ruleSet: ruleSetOf([ruleOf('other', ALL_KINDS[0]!.pattern)]) };
    await world.run(AFTER.slice(0, 8), others);
    const between = (await world.alerts()).length;
    const plan = await planOf(world, path);
    expect(await occupiedBy(plan, { log: world.log, store: world.store, group: 'g' })).toEqual({
      ...{ state: ['rows-0'], offsets: ['rows-0'] },
    });
    await world.restore(plan);
    expect(await world.offsets()).toEqual({ 'rows-0': BEFORE.length });
    await world.run(AFTER.slice(8));
    const alerts = await world.alerts();
    expect([...alerts.slice(0, found), ...alerts.slice(between)].toSorted()).toEqual(await uninterrupted(1));
  });

  it('keeps what unchanged rules know when others have changed', async () => {
    const world = await World.of(2);
    await world.run(BEFORE);
    const { path } = await world.take();
    const next = await World.of(2);
    await next.send(BEFORE);
    await next.restore(await planOf(next, path));
    const changed = ALL_KINDS.map((rule) =>
      rule.id === 'graph' ? { ...rule, revision: 'graph-2', onUpdate: 'restart' as const } : rule,
    );
    await next.run(AFTER, { ruleSet: ruleSetOf(changed) });
    const found = (await next.alerts()).filter((alert) => alert.startsWith('a-then-b'));
    expect(found).toContain('a-then-b W Wa125 Wb143');
    expect((await next.alerts()).filter((alert) => alert.startsWith('graph X'))).toEqual([]);
  });

  it('carries the rules with it, to where no journal holds them', async () => {
    const world = await World.of(2);
    await world.run(BEFORE);
    const { path, header } = await world.take();
    const next = await World.of(2);
    await next.send(BEFORE);
    await next.restore(await planOf(next, path));
    const bodies = (await readAll(next.log, 'journal')).filter(({ key }) => String(key).startsWith('rules/'));
    expect(bodies.map(({ key }) => String(key))).toEqual([`rules/${header.ruleSets[0]!.digest}`]);
    expect(bodies[0]!.value).toEqual(Buffer.from(header.ruleSets[0]!.body));
  });

  it('is put together from the files of all processes of a group', async () => {
    const world = await World.of(3);
    await world.run(BEFORE);
    const one = await world.take({ partitions: world.all.slice(0, 2) });
    const two = await world.take({ partitions: world.all.slice(2) });
    const next = await World.of(3);
    await next.send(BEFORE);
    await expect(planOf(next, one.path)).rejects.toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/^rows-2 is missing/),
    });
    const later = await world.take({ partitions: world.all.slice(2), committed: new Map([['rows-2', 99]]) });
    await expect(planOf(next, one.path, two.path, later.path)).rejects.toMatchObject({
      message: 'rows-2 is in more than one of the files, which were not taken at the same time',
    });
    await next.restore(await planOf(next, two.path, one.path, two.path));
    await next.run(AFTER);
    const before = await world.alerts();
    expect([...before, ...(await next.alerts())].toSorted()).toEqual(await uninterrupted(3));
  });

  it('is of one moment of each partition, while the service goes on', async () => {
    const world = await World.of(1);
    await world.send(BEFORE);
    const lane = world.lane();
    await lane.start();
    await world.caughtUp(lane);
    const stored = await world.store.partition(world.all[0]!);
    world.clock.advance(500);
    await until(async () => (await world.offsets())['rows-0'] === BEFORE.length, 'the commit');
    world.clock.advance(200);
    await until(async () => {
      const cut = await stored.cut();
      return cut !== null && decodeCut(cut).position === BEFORE.length;
    }, 'a cut');
    const { header, path } = await world.take({ committed: null });
    expect(header.partitions[0]).toMatchObject({ position: BEFORE.length, committed: BEFORE.length });
    await world.send(AFTER);
    await world.caughtUp(lane);
    await lane.stop();
    const next = await World.of(1);
    await next.send(BEFORE);
    await next.restore(await planOf(next, path));
    await next.run(AFTER);
    const expected = await uninterrupted(1);
    const after = await next.alerts();
    expect(expected).toEqual(expect.arrayContaining(after));
    expect((await world.alerts()).toSorted()).toEqual(expected);
    expect(after.length).toBeGreaterThan(50);
  });
});

describe('a savepoint is not put back', () => {
  const rows = rowsOf('Xa100 Yb101 Za102 Wa103');
  const refusal = async (next: World): Promise<unknown> => {
    const world = await World.of(2);
    await world.run(rows);
    const { path } = await world.take();
    return planOf(next, path).catch((error: unknown) => error);
  };

  it('where its topic is not there', async () => {
    expect(await refusal(await World.of(2, { topic: 'others' }))).toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/^there is no topic rows in this log/),
    });
  });

  it('where its topic has other partitions', async () => {
    expect(await refusal(await World.of(3))).toMatchObject({
      message: expect.stringMatching(/3 partitions.*is of 2.*--from/),
    });
  });

  it('where its topic ends before it', async () => {
    expect(await refusal(await World.of(2))).toMatchObject({
      message: expect.stringMatching(/ends at offset 0.*is at \d/),
    });
  });

  it('where its topic has other records', async () => {
    const next = await World.of(2);
    await next.send(rowsOf('Xa100*1 Yb101*1 Za102*1 Wa103*1'));
    expect(await refusal(next)).toMatchObject({ message: expect.stringMatching(/has another record at offset 0/) });
  });

  it('where retention has deleted what it needs', async () => {
    const next = await World.of(2);
    await next.send(rows);
    for (const p of next.all) next.log.deleteBefore(p, (await next.log.offsets(p)).end);
    expect(await refusal(next)).toMatchObject({ message: expect.stringMatching(/retention has deleted/) });
  });

  it('while the group has running members', async () => {
    const next = await World.of(2);
    await next.send(rows);
    const world = await World.of(2);
    await world.run(rows);
    const plan = await planOf(next, (await world.take()).path);
    const lane = next.lane();
    await lane.start();
    await next.caughtUp(lane);
    let refused: unknown = null;
    next.restore(plan).catch((error: unknown) => {
      refused = error;
    });
    await until(() => {
      next.clock.advance(500);
      return refused !== null;
    }, 'the refusal');
    expect(refused).toMatchObject({ code: 'SAVEPOINT_GROUP_BUSY' });
    await lane.stop();
  });
});

describe('no savepoint is taken', () => {
  it('of a partition without state, or without offsets', async () => {
    const world = await World.of(1);
    await expect(world.take()).rejects.toMatchObject({
      code: 'SAVEPOINT_STATE',
      message: expect.stringMatching(/^rows-0 has no stored state. Start the service/),
    });
    const none = world.take({ partial: true });
    await expect(none).rejects.toMatchObject({ message: expect.stringMatching(/^no partition has state here/) });
    await world.run(rowsOf('Xa1'));
    await expect(world.take({ committed: new Map() })).rejects.toMatchObject({
      code: 'SAVEPOINT_STATE',
      message: expect.stringMatching(/^the group g has committed nothing in rows-0/),
    });
    await expect(world.take({ committed: new Map([['rows-0', 0]]) })).rejects.toMatchObject({
      message: expect.stringMatching(/ahead of the committed 0/),
    });
  });
});

it('a savepoint of what one machine has leaves out the partitions of others', async () => {
  const world = await World.of(2);
  await world.run(BEFORE);
  const state = await world.store.partition(world.all[1]!);
  await state.clear();
  const { header, leftOut } = await world.take({ partial: true });
  expect(header.partitions.map(({ partition }) => partition)).toEqual([0]);
  expect(leftOut).toEqual([expect.stringMatching(/^rows-1 has no stored state/)]);
  expect(header.topics).toEqual([{ name: 'rows', partitions: 2 }]);
});

describe('a view of a partition', () => {
  it('has the entries of its cut, whatever is written meanwhile', async () => {
    const store = new MemoryStateStore();
    const state = await store.partition({ topic: 'rows', partition: 0 });
    const bytes = (text: string) => new TextEncoder().encode(text);
    const put = (n: number): StateBatch => ({
      ...{ position: n, cut: bytes(`cut ${n}`), deletes: [] },
      puts: [{ key: bytes('k'), value: bytes(`value ${n}`) }],
    });
    await state.write(put(1));
    let meanwhile = 2;
    const racing: Pick<PartitionState, 'cut' | 'entries'> = {
      async cut() {
        const cut = await state.cut();
        if (meanwhile < 5) await state.write(put(meanwhile++));
        return cut;
      },
      entries: () => state.entries(),
    };
    const view = (await viewOf(racing))!;
    await state.write(put(9));
    const [entry] = await all(view.entries);
    expect([String(Buffer.from(view.cut)), String(Buffer.from(entry!.value))]).toEqual(['cut 4', 'value 4']);
  });
});
