import { jsonDecoder, type Row, readAll, ruleOf, stream } from '../../../test/harness/lane-kit.js';
import { ALL_KINDS, RELEASE, rowsOf, World } from '../../../test/savepoints/kit.js';
import { begin, eq, field } from '../../engine/index.js';
import { dice } from '../testing/dice.js';
import { openSavepoint, type SavepointFile } from './file-reader.js';
import { type OtherTopicOptions, planOtherTopic } from './plan-other.js';

const signal = new AbortController().signal;
const reader = { decoder: jsonDecoder, stream };
const ACCOUNTS = 40;

/** Rows in order of time but for some jitter below the out-of-orderness: in no partition anything is late. */
function stretch(seed: number, from: number, to: number): Row[] {
  const roll = dice(seed);
  const rows: { readonly row: Row; readonly arrival: number }[] = [];
  for (let at = from; at < to; at += roll(4)) {
    const account = `acc-${roll(ACCOUNTS)}`;
    const type = 'aaabbcd'[roll(7)]!;
    rows.push({
      row: { id: `${account}-${type}${at}-${rows.length}`, account, type, at, amount: roll(60) },
      arrival: at + roll(9),
    });
    if (roll(3) > 0) at--;
  }
  return rows.sort((a, b) => a.arrival - b.arrival).map(({ row }) => row);
}

/** Brings every partition to the end of time. */
const flush = Array.from({ length: 200 }, (_, i) => ({
  id: `end-${i}`,
  account: `end-${i}`,
  type: 'z',
  at: 100_000,
  amount: 0,
}));

async function uninterrupted(rows: readonly Row[]): Promise<string[]> {
  const world = await World.of(1);
  await world.run(rows);
  return (await world.alerts()).toSorted();
}

const taken = async (world: World): Promise<SavepointFile> => openSavepoint((await world.take()).path, RELEASE);

async function goOn(file: SavepointFile, world: World, more: Partial<OtherTopicOptions> = {}): Promise<void> {
  const options = { log: world.log, topic: world.topic, from: { at: 'earliest' as const }, heldBack: 'write' as const };
  await world.restore(await planOtherTopic([file], { ...options, reader, release: RELEASE, signal, ...more }));
}

const keysIn = ({ totals }: SavepointFile): number => totals.keys.reduce((sum, keys) => sum + keys, 0);

describe('a savepoint in a topic with another number of partitions', () => {
  it.each([1, 2, 3, 4, 5])(
    'goes on from 4 to 8 to 2, and all is found once, as if nothing had happened (seed %i)',
    async (seed) => {
      const parts = [stretch(seed, 1000, 1150), stretch(seed + 100, 1150, 1300), stretch(seed + 200, 1300, 1400)];
      const found: string[] = [];
      let file: SavepointFile | null = null;
      for (const [index, partitions] of [4, 8, 2].entries()) {
        const world = await World.of(partitions, { topic: `rows-${partitions}` });
        if (file !== null) await goOn(file, world);
        await world.run(index === 2 ? [...parts[2]!, ...flush] : parts[index]!);
        found.push(...(await world.alerts()));
        file = await taken(world);
        expect(await readAll(world.log, 'late')).toEqual([]);
        if (index < 2) expect(keysIn(file)).toBeGreaterThan(10);
        if (index < 2) expect(file.totals.records.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
      }
      const expected = await uninterrupted([...parts.flat(), ...flush]);
      expect(expected.length).toBeGreaterThan(300);
      expect(found.toSorted()).toEqual(expected);
    },
  );

  it.each([1, 2, 3])(
    'knows what it had processed, in a topic that has all from the beginning (seed %i)',
    async (seed) => {
      const [before, after] = [stretch(seed, 1000, 1150), stretch(seed + 100, 1150, 1300)];
      const old = await World.of(6);
      await old.run(before);
      const file = await taken(old);
      const marks = file.header.partitions.map(({ watermark }) => watermark);
      expect(new Set(marks).size).toBeGreaterThan(1);
      const world = await World.of(2, { topic: 'all-rows' });
      await world.send(before);
      await goOn(file, world, { heldBack: 'skip' });
      await world.run([...after, ...flush]);
      const found = [...(await old.alerts()), ...(await world.alerts())];
      expect(found.toSorted()).toEqual(await uninterrupted([...before, ...after, ...flush]));
      expect((await readAll(world.log, 'late')).length).toBeGreaterThan(0);
    },
  );

  it('keeps what a key knows for as long as its own time says, though its new partition is further back', async () => {
    const slow = [
      ruleOf(
        'slow',
        begin('A')
          .where(eq(field('type'), 'a'))
          .followedBy('B')
          .where(eq(field('type'), 'b'))
          .within(20_000)
          .build(),
      ),
    ];
    const old = await World.of(2, { rules: slow });
    // X is in one partition, Y in the other, which is a minute behind.
    await old.run(rowsOf('Ya1000 Yz1100 Xa61000 Xz61100'));
    const file = await taken(old);
    const world = await World.of(1, { topic: 'one', rules: slow });
    await goOn(file, world);
    await world.run(rowsOf('Zz70000'));
    await world.run(rowsOf('Xb76000 Zz99000'));
    expect(await world.alerts()).toEqual(['slow X Xa61000 Xb76000']);
  });

  it('goes on in the same number of partitions of another topic, from the time that is asked for', async () => {
    const old = await World.of(2);
    await old.run(rowsOf('Xa100 Ya100 Xz150 Yz150'));
    const file = await taken(old);
    const world = await World.of(2, { topic: 'renamed' });
    await world.send(rowsOf('Xz1 Yz1 Xb160 Yb160'));
    await goOn(file, world, { from: { at: 'timestamp', timestamp: 150 }, heldBack: 'skip' });
    await world.run(rowsOf('Xz400 Yz400'));
    expect((await world.alerts()).filter((a) => a.startsWith('a-then-b')).toSorted()).toEqual([
      'a-then-b X Xa100 Xb160',
      'a-then-b Y Ya100 Yb160',
    ]);
    expect(await readAll(world.log, 'late')).toEqual([]);
  });

  it('takes time as it comes where events count by arrival', async () => {
    const clock = { mode: 'arrival', outOfOrdernessMs: 0 } as const;
    const arrival = { ...stream, clock };
    const make = (partitions: number, topic: string) => World.of(partitions, { topic, clock });
    const old = await make(4, 'four');
    await old.run(rowsOf('Xa100 Ya120 Za140 Wa160'));
    const file = await taken(old);
    const world = await make(1, 'one');
    await goOn(file, world, { reader: { decoder: jsonDecoder, stream: arrival }, heldBack: null });
    await world.run(rowsOf('Xb150 Yb170 Zb300'));
    expect(await world.alerts()).toEqual(expect.arrayContaining(['a-then-b X Xa100 Xb150', 'a-then-b Y Ya120 Yb170']));
    expect(await readAll(world.log, 'late')).toEqual([]);
  });
});

describe('keys cannot be shared out', () => {
  const rows = rowsOf('Xa100 Yb101 Za102 Wa103');
  const refused = async (old: World, more: Partial<OtherTopicOptions> = {}, next?: World): Promise<unknown> => {
    const world = next ?? (await World.of(3, { topic: 'other' }));
    return goOn(await taken(old), world, more).catch((error: unknown) => error);
  };

  it('while nobody has said what becomes of events that were held back', async () => {
    const old = await World.of(2);
    await old.run(rows);
    expect(await refused(old, { heldBack: null })).toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/4 events waited .*--held-back skip .*--held-back write/),
    });
  });

  it('where held-back events would be read after records that are there', async () => {
    const old = await World.of(2);
    await old.run(rows);
    const next = await World.of(1, { topic: 'other' });
    await next.send(rowsOf('Xa300'));
    expect(await refused(old, {}, next)).toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/--from latest/),
    });
    expect(await next.offsets()).toEqual({});
  });

  it('where they are not where the partitioner puts them', async () => {
    const old = await World.of(2);
    const producer = await old.log.producer();
    const value = Buffer.from(JSON.stringify({ id: 'a', account: 'X', type: 'a', at: 100, amount: 1 }));
    for (const partition of [0, 1])
      await producer.send([{ topic: 'rows', partition, key: null, value, timestamp: 100 }]);
    await old.run(rowsOf('Xz200 Yz200 Zz200'));
    expect(await refused(old, { heldBack: 'skip' })).toMatchObject({
      code: 'SAVEPOINT_TARGET',
      message: expect.stringMatching(/not keyed by the text of account/),
    });
  });

  it('where patterns are keyed by another field than the topic', async () => {
    const old = await World.of(1, { rules: [{ ...ALL_KINDS[0]!, key: 'type' }] });
    await old.run(rows);
    expect(await refused(old)).toMatchObject({
      message: expect.stringMatching(/keyed by type have state that cannot/),
    });
  });

  it('while records of the old topic would have to be replayed', async () => {
    const old = await World.of(2);
    await old.run(rows);
    const committed = new Map(old.names.map((name) => [name, 100]));
    const file = await openSavepoint((await old.take({ committed })).path, RELEASE);
    const world = await World.of(3, { topic: 'other' });
    await expect(goOn(file, world)).rejects.toMatchObject({
      message: expect.stringMatching(/not stopped in good order/),
    });
  });

  it('into a topic that is not there', async () => {
    const old = await World.of(2);
    await old.run(rows);
    expect(await refused(old, { topic: 'nowhere' })).toMatchObject({
      message: 'there is no topic nowhere in this log: make it first',
    });
  });
});
