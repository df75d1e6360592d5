import type { Alert } from '../../src/runtime/ports/alert.js';
import type { AlertFilter, AlertPlace, AlertStore, Snooze } from '../../src/runtime/ports/alert-store.js';
import { anAlert } from '../../src/service/testing/an-alert.js';

const NOW = 1_000_000;
const EVER = [0, Number.MAX_SAFE_INTEGER] as const;

/** What every store of alerts does. `open`: an empty one, opened. `again`: another client of what the last one stores. */
export function alertStoreContract(open: () => Promise<AlertStore>, again: () => Promise<AlertStore>): void {
  let store: AlertStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  const at = (id: string, detectedAt: number, over: Partial<Alert> = {}): Alert => anAlert({ id, detectedAt, ...over });
  const add = (...alerts: Alert[]) => store.add(alerts, 'live', NOW);
  const ids = async (filter: AlertFilter = {}, now = NOW) =>
    (await store.list(filter, 100, null, now)).map(({ alert }) => alert.id);
  const snooze = (over: Partial<Snooze> = {}): Promise<void> =>
    store.addSnooze({
      ...{ id: 's1', key: 'acc-1', pattern: null, until: NOW + 100, reason: '', author: 'ann', at: NOW },
      ...over,
    });
  const judge = (alertId: string, verdict: 'true' | 'false' | 'unsure', n = 0) =>
    store.addFeedback({ id: `f${alertId}${n}`, alertId, verdict, note: `note ${n}`, author: 'ann', at: NOW + n });

  it('has an alert once, as it was added first', async () => {
    const strange = at('a', 10, {
      message: 'null\0byte, ünïcode 💥, \' " % _ ! ?',
      features: { mean: 1.5, none: null },
    });
    await add(strange);
    await add({ ...strange, message: 'another' }, at('b', 20));
    expect(await store.get('a', NOW)).toEqual({ alert: strange, state: 'open' });
    expect([await store.count(), await store.get('none', NOW)]).toEqual([2, null]);
  });

  it('takes many at once, and none', async () => {
    await add(...Array.from({ length: 500 }, (_, n) => at(`id${String(n).padStart(3, '0')}`, n)));
    await add();
    expect(await store.count()).toBe(500);
  });

  it('keeps what it has, and its name, for whoever opens it again', async () => {
    await add(at('a', 10));
    const other = await again();
    expect([other.id, (await other.get('a', NOW))?.alert.id]).toEqual([store.id, 'a']);
    await other.close();
  });

  it('lists the newest first, and of one time by the bytes of their ids; pages leave out and repeat none', async () => {
    await add(at('b', 20), at('B', 20), at('a', 20), at('_', 20), at('c', 10), at('d', 30));
    const seen: string[] = [];
    let place: AlertPlace | null = null;
    for (let page = 0; page < 10; page++) {
      const found = await store.list({}, 2, place, NOW);
      if (found.length === 0) break;
      seen.push(...found.map(({ alert }) => alert.id));
      const { alert } = found.at(-1)!;
      place = { at: alert.detectedAt, id: alert.id };
      // What comes meanwhile at the head changes nothing behind it.
      await add(at(`new${page}`, 100 + page));
    }
    expect(seen).toEqual(['d', 'b', 'a', '_', 'B', 'c']);
  });

  it.each<[what: string, filter: AlertFilter, found: readonly string[]]>([
    ['nothing', {}, ['c', 'b', 'a']],
    ['a key', { key: 'acc-2' }, ['b']],
    ['a key or another', { key: 'acc-3', orKey: 'acc-2' }, ['b']],
    ['a pattern', { pattern: 'mule' }, ['c']],
    ['a severity', { severity: 'low' }, ['b']],
    ['a time, its end apart', { from: 10, to: 20 }, ['a']],
    ['a text of the message, whatever its case', { q: '5000 SENT' }, ['a']],
    ['a text of another script', { q: 'ÜBER' }, ['c']],
    ['a text of an event', { q: 'TX-77' }, ['b']],
    ['a sign that is none for any text', { q: '100%_' }, ['c']],
    ['a text that none has', { q: '%' + 'x' }, []],
    ['several', { key: 'acc-1', severity: 'high' }, ['c', 'a']],
    ['a state', { state: 'open' }, ['c', 'b', 'a']],
    ['another state', { state: 'confirmed' }, []],
  ])('finds by %s', async (_, filter, found) => {
    const [step] = anAlert().steps;
    const steps = [{ ...step!, events: [{ ...step!.events[0]!, id: 'tx-77' }] }];
    await add(
      at('a', 10),
      at('b', 20, { key: 'acc-2', severity: 'low', steps, title: 'Card', message: 'tested' }),
      at('c', 30, { patternId: 'mule', title: 'Geld über', message: '100%_ sent on' }),
    );
    expect(await ids(filter)).toEqual(found);
  });

  it('has the state of the latest word on an alert, and every word', async () => {
    await add(at('a', 10), at('b', 20), at('c', 30));
    expect([await judge('a', 'true'), await judge('a', 'false', 1), await judge('b', 'unsure')]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await judge('none', 'true')).toBe(false);
    expect(await ids({ state: 'dismissed' })).toEqual(['a']);
    expect(await ids({ state: 'unsure' })).toEqual(['b']);
    expect(await ids({ state: 'open' })).toEqual(['c']);
    expect((await store.feedbackOf('a')).map(({ verdict, note, at }) => [verdict, note, at])).toEqual([
      ['false', 'note 1', NOW + 1],
      ['true', 'note 0', NOW],
    ]);
    expect(await store.feedbackOf('none')).toEqual([]);
  });

  it('snoozes what is open of a key, in one pattern or all, until a time', async () => {
    await add(at('a', 10), at('b', 20, { patternId: 'mule' }), at('c', 30, { key: 'acc-2' }), at('d', 40));
    await judge('d', 'true');
    await snooze({ pattern: 'mule' });
    expect([await ids({ state: 'snoozed' }), await ids({ state: 'open' })]).toEqual([['b'], ['c', 'a']]);
    await snooze({ id: 's2', until: NOW + 50 });
    await add(at('e', 50));
    expect([await ids({ state: 'snoozed' }), await ids({ state: 'open' })]).toEqual([['e', 'b', 'a'], ['c']]);
    expect(await ids({ state: 'open' }, NOW + 60)).toEqual(['e', 'c', 'a']);
    expect((await store.snoozes(10, null, NOW)).map(({ id, pattern }) => [id, pattern])).toEqual([
      ['s2', null],
      ['s1', 'mule'],
    ]);
    expect((await store.snoozes(10, { at: NOW + 50, id: 's2' }, NOW)).map(({ id }) => id)).toEqual(['s1']);
    expect(await store.snoozes(10, null, NOW + 100)).toEqual([]);
    expect(await store.removeSnooze('s2')).toMatchObject({ id: 's2', until: NOW + 50 });
    expect([await store.removeSnooze('s2'), await ids({ state: 'snoozed' })]).toEqual([null, ['b']]);
  });

  it('groups repeats by key and pattern, the latest first', async () => {
    await add(
      ...[at('a', 10, { score: 10 }), at('b', 20, { score: 90 }), at('c', 30, { score: 50 })],
      ...[at('d', 25, { key: 'acc-2' }), at('e', 15, { patternId: 'mule' })],
    );
    await judge('c', 'false');
    const groups = await store.groups({}, 2, null, NOW);
    expect(groups).toMatchObject([
      { key: 'acc-1', patternId: 'offshore-drain', count: 3, open: 2, scoreMax: 90, firstAt: 10, lastAt: 30 },
      { key: 'acc-2', count: 1, open: 1, lastAt: 25 },
    ]);
    expect(groups[0]!.last).toMatchObject({ state: 'dismissed', alert: { id: 'c', keyField: 'accountId' } });
    const rest = await store.groups({}, 2, { at: 25, id: 'd' }, NOW);
    expect(rest).toMatchObject([{ patternId: 'mule', count: 1 }]);
    expect(await store.groups({ state: 'open', key: 'acc-1', to: 30 }, 9, null, NOW)).toMatchObject([
      { count: 2, last: { alert: { id: 'b' } } },
      { patternId: 'mule' },
    ]);
  });

  it('keeps alerts in shadow apart, and tells how they lie to those that are live', async () => {
    await add(at('a', 10), at('b', 20, { key: 'acc-2' }), at('c', 30, { key: 'acc-2' }));
    await judge('a', 'true');
    await store.add([at('a', 10), at('x', 40, { key: 'acc-3' })], 'shadow', NOW);
    const [shadow, live] = [
      { pattern: 'offshore-drain', kind: 'shadow' },
      { pattern: 'offshore-drain', kind: 'live' },
    ] as const;
    expect(await ids()).toEqual(['c', 'b', 'a']);
    expect(await store.totals(live, ...EVER)).toEqual({
      ...{ alerts: 3, keys: 2, confirmed: 1, dismissed: 0, unsure: 0 },
      ...{ firstAt: 10, lastAt: 30 },
    });
    expect(await store.totals(shadow, 20, 40)).toMatchObject({ alerts: 0, keys: 0, firstAt: null, lastAt: null });
    expect(await store.overlap(shadow, live, ...EVER)).toEqual({ both: 1, onlyFirst: 1, onlySecond: 1 });
  });

  it('forgets what was added long ago, and the oldest of too many, with what was said of them', async () => {
    await store.add([at('a', 90), at('b', 95)], 'live', 100);
    await judge('a', 'true');
    await store.add([at('c', 10)], 'live', 200);
    await store.add([at('d', 20)], 'live', 300);
    await store.add([at('e', 30)], 'shadow', 400);
    expect(await store.prune(200, 2)).toBe(3);
    expect([await ids(), await store.feedbackOf('a')]).toEqual([['d'], []]);
    expect(await store.prune(200, 2)).toBe(0);
  });
}
