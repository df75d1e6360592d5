import { until } from '../../../test/harness/until.js';
import { MemoryLog } from '../memory/memory-log.js';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import { ManualClock } from '../testing/manual-clock.js';
import { LayeredTable } from './layered-table.js';
import { ListBook } from './list-book.js';
import { listOf } from './read-list.js';
import { NO_LISTS } from './reference-lists.js';

const by = { author: 'ann', message: 'a test' };

class Place {
  readonly log = new MemoryLog();
  readonly store = new MemoryObjectStore();
  private readonly books: ListBook[] = [];

  async book(onChange = async (): Promise<void> => undefined): Promise<ListBook> {
    const { log, store } = this;
    const clock = new ManualClock(1000);
    const book = new ListBook({ log, clock, topic: 'lists', objects: async () => store, onChange });
    await book.open();
    this.books.push(book);
    return book;
  }

  async close(): Promise<void> {
    for (const book of this.books) await book.stop();
  }
}

const content = async (book: ListBook, list: string) =>
  Object.fromEntries(new LayeredTable(await book.load(book.current(list)!)).entries());

describe('the book of lists', () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
  });
  afterEach(() => place.close());

  it('brings all processes to the same versions, those that start later too', async () => {
    const heard: string[] = [];
    const one = await place.book();
    const other = await place.book(async () => void heard.push(other.current('home')?.digest ?? ''));
    other.follow();
    expect(await one.put('home', 'map', listOf({ A: 'DE' }), null, by)).toBe(true);
    const { digest } = one.current('home')!;
    expect(await one.change('home', { put: [['B', 'FR']], remove: ['A'] }, digest, by)).toBe(true);
    await until(() => heard.at(-1) === one.current('home')!.digest, 'the other process to follow');
    const later = await place.book();
    for (const book of [one, other, later]) {
      expect(await content(book, 'home')).toEqual({ B: 'FR' });
      expect(book.current('home')).toMatchObject({ size: 1, author: 'ann', at: 1000, kind: 'map' });
    }
  });

  it('lets the first of two changes of one version hold', async () => {
    const [one, other] = [await place.book(), await place.book()];
    await one.put('vips', 'set', listOf(['A']), null, by);
    expect(await other.put('vips', 'set', listOf(['B']), null, by)).toBe(false);
    const { digest } = other.current('vips')!;
    expect(await one.change('vips', { put: [['C', '']], remove: [] }, digest, by)).toBe(true);
    expect(await other.change('vips', { put: [['D', '']], remove: [] }, digest, by)).toBe(false);
    expect(await content(other, 'vips')).toEqual({ A: '', C: '' });
  });

  it('gives a list as it was, by the digest that the journal names', async () => {
    const book = await place.book();
    await book.put('vips', 'set', listOf(['A']), null, by);
    const digests: string[] = [];
    for (let n = 0; n < 30; n++) {
      digests.push(book.current('vips')!.digest);
      await book.change('vips', { put: [[`v${n}`, '']], remove: n > 3 ? [`v${n - 3}`] : [] }, digests.at(-1)!, by);
    }
    const later = await place.book();
    for (const n of [0, 17, 5, 29, 16]) {
      const lists = await later.asOf({ vips: digests[n]! }, NO_LISTS);
      const all = [...Array(30).keys()].map((i) => lists.has('vips', `v${i}`));
      expect(all.map((has, i) => (has ? i : -1)).filter((i) => i >= 0)).toEqual(
        [...Array(n).keys()].filter((i) => i === 0 || i > n - 4),
      );
      expect(lists.digests(['vips'])).toEqual({ vips: digests[n] });
    }
    await expect(later.asOf({ vips: 'x' }, NO_LISTS)).rejects.toThrow('asked the list vips as it was then (x)');
  });

  it('does not count as changed what holds the same, but knows where it was read last', async () => {
    const book = await place.book();
    await book.put('vips', 'set', listOf(['A', 'B']), null, by);
    const { digest } = book.current('vips')!;
    const source = { name: 'file x', digest: 'y' };
    await book.change('vips', { put: [['A', '']], remove: ['Z'] }, digest, { ...by, source });
    await book.put('vips', 'set', listOf(['B', 'A']), digest, { ...by, source: { ...source, digest: 'z' } });
    expect(book.current('vips')).toMatchObject({ digest, source: { name: 'file x', digest: 'z' } });
    expect((await place.store.list('')).length).toBe(1);
  });

  it('writes the whole once more after many changes, under the same name', async () => {
    const book = await place.book();
    await book.put('vips', 'set', listOf(['A']), null, by);
    for (let part = 0; part < 5; part++) {
      const put = Array.from({ length: 5000 }, (_, i) => [`v${part}-${i}`, ''] as const);
      await book.change('vips', { put, remove: [] }, book.current('vips')!.digest, by);
    }
    const version = book.current('vips')!;
    expect([version.size, version.changed < 20_000, 'object' in version.from]).toEqual([25_001, true, false]);
    const later = await place.book();
    expect(later.current('vips')).toMatchObject({ digest: version.digest });
    expect((await later.load(later.current('vips')!)).size).toBe(25_001);
  });

  it('puts a change that no record can hold into an object', async () => {
    const book = await place.book();
    await book.put('home', 'map', listOf({ A: 'DE' }), null, by);
    const put = Array.from({ length: 60_000 }, (_, i) => [`account-${i}`, 'x'] as const);
    await book.change('home', { put, remove: [] }, book.current('home')!.digest, by);
    expect('object' in book.current('home')!.from).toBe(true);
    expect(book.current('home')!.size).toBe(60_001);
  });

  it('forgets a list that is dropped, and lets it be put again', async () => {
    const book = await place.book();
    await book.put('vips', 'set', listOf(['A']), null, by);
    const { digest } = book.current('vips')!;
    await book.drop('vips', digest, by);
    expect([book.current('vips'), (await book.asOf({ vips: digest }, NO_LISTS)).has('vips', 'A')]).toEqual([
      undefined,
      true,
    ]);
    expect(await book.put('vips', 'map', listOf({ B: '1' }), null, by)).toBe(true);
    expect(await content(await place.book(), 'vips')).toEqual({ B: '1' });
  });
});

describe('old copies of lists', () => {
  it('are deleted when nothing follows from them that is needed, at the second look', async () => {
    const place = new Place();
    const book = await place.book();
    const put = async (entry: string) => {
      await book.put('vips', 'set', listOf([entry]), book.current('vips')?.digest ?? null, by);
      return book.current('vips')!;
    };
    const [first, second] = [await put('A'), await put('B')];
    await book.change('vips', { put: [['C', '']], remove: [] }, second.digest, by);
    const third = book.current('vips')!;
    const now = await put('D');
    const isNeeded = ({ digest }: { readonly digest: string }) => [third.digest, now.digest].includes(digest);
    expect([await book.prune(isNeeded), await book.prune(isNeeded), await book.prune(isNeeded)]).toEqual([0, 1, 0]);
    const later = await place.book();
    // The change follows from what was put before it.
    expect((await later.asOf({ vips: third.digest }, NO_LISTS)).has('vips', 'C')).toBe(true);
    await expect(later.asOf({ vips: first.digest }, NO_LISTS)).rejects.toThrow('is not there any more');
    await place.close();
  });
});
