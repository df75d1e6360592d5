import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { ListBook } from '../../runtime/lists/list-book.js';
import { loadLists } from '../../runtime/lists/load-lists.js';
import { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryObjectStore } from '../../runtime/memory/memory-object-store.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';
import { fileSource } from './file-source.js';
import { ListControl } from './list-control.js';
import { ListFollower } from './list-follower.js';
import { topicSource } from './topic-source.js';

class Detector extends FakeDetector {
  lists = new ReferenceLists({});
  async changeLists(lists: ReferenceLists['data']): Promise<void> {
    this.lists = new ReferenceLists(lists);
  }
}

/** Processes of one group. */
class Group {
  readonly log = new MemoryLog();
  readonly store = new MemoryObjectStore();
  readonly clock = new ManualClock(1_000_000);
  readonly lines: string[] = [];
  readonly used = new Map<string, string[]>();
  folder = '';
  private readonly controls: ListControl[] = [];

  async process(more: { readonly waits?: boolean } = {}): Promise<{ control: ListControl; detector: Detector }> {
    const { log, store, clock, lines } = this;
    const said = {
      report: (text: string) => void lines.push(text),
      warn: (text: string, trouble: Error) => void lines.push(`${text}: ${trouble.message}`),
    };
    const file = join(this.folder, 'home.csv');
    const declared = await loadLists({
      home: { file, kind: 'map' },
      partners: { kind: 'map' },
      blocked: { kind: 'set' },
    });
    const control = new ListControl({
      ...{ declared, ...said, usedBy: (list) => this.used.get(list) ?? [] },
      book: (on) => new ListBook({ ...{ log, clock, topic: 'lists', objects: async () => store }, ...on }),
      followers: (book) =>
        new Map(
          [
            { list: 'home', kind: 'map' as const, source: fileSource('home', file, 'map', 5000) },
            { list: 'partners', kind: 'map' as const, source: topicSource(log, 'partners', 'map', 1000) },
          ].map((one) => [one.list, new ListFollower({ ...one, ...said, book, clock })]),
        ),
    });
    const detector = new Detector();
    this.controls.push(control);
    const opened = control.open().then(() => control.attach(detector));
    if (more.waits !== true) await opened;
    else void opened.catch(() => undefined);
    return { control, detector };
  }

  async send(entries: Readonly<Record<string, string | null>>): Promise<void> {
    const producer = await this.log.producer();
    const text = new TextEncoder();
    const bytes = (value: string | null) => (value === null ? null : text.encode(value));
    await producer.send(
      Object.entries(entries).map(([key, value]) => {
        return { topic: 'partners', partition: 0, key: text.encode(key), value: bytes(value) };
      }),
    );
  }

  /** Lets time pass until it is so. */
  settled(is: () => boolean, what: string): Promise<unknown> {
    return until(() => {
      this.clock.advance(600);
      return is();
    }, what);
  }

  async close(): Promise<void> {
    for (const control of this.controls) await control.stop();
  }
}

const by = { author: 'ann', message: 'a test' };

describe('lists that are changed while the service runs', () => {
  let group: Group;
  beforeEach(async () => {
    group = new Group();
    group.folder = await mkdtemp(join(tmpdir(), 'stakeout-lists-'));
    await writeFile(join(group.folder, 'home.csv'), 'A1,DE\n');
    await group.log.createTopic({ name: 'partners', partitions: 1, compacted: true });
  });
  afterEach(async () => {
    await group.close();
    await rm(group.folder, { recursive: true, force: true });
  });

  it('come to all processes, and to those that start later', async () => {
    const [one, other] = [await group.process(), await group.process()];
    await one.control.change('blocked', { put: [['A7', '']], remove: [] }, undefined, by);
    expect(one.detector.lists.has('blocked', 'A7')).toBe(true);
    await until(() => other.detector.lists.has('blocked', 'A7'), 'the other process to follow');
    const later = await group.process();
    expect(later.control.lists.has('blocked', 'A7')).toBe(true);
    expect(later.control.statusOf('blocked')).toMatchObject({ entries: 1, changed: { author: 'ann' }, source: null });
  });

  it('are read again from their file when it holds, and stay as they were while it does not', async () => {
    const { control, detector } = await group.process();
    expect(control.lists.get('home', 'A1')).toBe('DE');
    await writeFile(join(group.folder, 'home.csv'), 'A1,DE\nA2\n');
    await group.settled(() => group.lines.some((line) => line.includes('There is no value')), 'a warning');
    expect([control.lists.get('home', 'A1'), control.statusOf('home')?.trouble]).toEqual([
      'DE',
      expect.stringContaining('home.csv:2'),
    ]);
    await writeFile(join(group.folder, 'home.csv'), 'A1,FR\nA2,IT\n');
    await group.settled(() => detector.lists.get('home', 'A2') === 'IT', 'the file to be read');
    expect(detector.lists.get('home', 'A1')).toBe('FR');
    await group.settled(() => control.statusOf('home')?.trouble === null, 'the trouble to be over');
    // What the file said is known when the service starts again.
    expect((await group.process()).control.statusOf('home')?.digest).toBe(control.statusOf('home')?.digest);
  });

  it('follow a compacted topic, tombstones too, and are published once by whichever process is first', async () => {
    await group.send({ P1: 'gold', P2: 'silver' });
    const [one, other] = [await group.process(), await group.process()];
    expect(one.control.lists.get('partners', 'P1')).toBe('gold');
    await group.send({ P1: null, P3: 'gold' });
    await group.settled(() => one.detector.lists.has('partners', 'P3'), 'the topic to be read');
    await group.settled(() => other.detector.lists.has('partners', 'P3'), 'the other process to follow');
    expect(one.control.lists.has('partners', 'P1')).toBe(false);
    expect(one.control.statusOf('partners')).toEqual(other.control.statusOf('partners'));
    await expect(one.control.put('partners', 'map', expect.anything() as never, undefined, by)).rejects.toMatchObject({
      code: 'LIST_SOURCED',
    });
  });

  it('are waited for at the first start where their source is away, and not after', async () => {
    await rm(join(group.folder, 'home.csv'));
    await writeFile(join(group.folder, 'home.csv'), '');
    const away = new Group();
    away.folder = group.folder;
    const { control } = await away.process({ waits: true });
    await away.settled(() => away.lines.some((line) => line.includes('There is no topic partners')), 'a warning');
    expect(control.statusOf('partners')?.trouble).toBe('There is no topic partners.');
    await away.log.createTopic({ name: 'partners', partitions: 1, compacted: true });
    await away.send({ P1: 'gold' });
    await away.settled(() => control.lists.get('partners', 'P1') === 'gold', 'the topic to be read');
    await away.close();
  });
});

describe('lists over HTTP', () => {
  async function served() {
    const group = new Group();
    group.folder = await mkdtemp(join(tmpdir(), 'stakeout-lists-'));
    await writeFile(join(group.folder, 'home.csv'), 'A1,DE\n');
    await group.log.createTopic({ name: 'partners', partitions: 1, compacted: true });
    const { control } = await group.process();
    const { service } = await aService({ lists: control });
    await service.start();
    const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const type =
        body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' };
      const response = await fetch(`${service.url()}/v1/lists${path}`, {
        ...{ method, headers: { ...type, ...headers } },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await response.text();
      const answer = (text.startsWith('{') ? JSON.parse(text) : text) as Record<string, unknown>;
      return { status: response.status, body: answer, etag: response.headers.get('etag') };
    };
    const stop = async () => {
      await service.stop();
      await group.close();
      await rm(group.folder, { recursive: true });
    };
    return { ask, stop, group };
  }

  it('are put, changed, looked at and taken away', async () => {
    const { ask, stop } = await served();
    expect(await ask('PUT', '/vips?author=ann', ['A1', 'A2'])).toMatchObject({ status: 200, body: { entries: 2 } });
    expect(await ask('PATCH', '/vips?author=bob&message=why', { put: ['A3', 7], remove: ['A1'] })).toMatchObject({
      body: { entries: 3, kind: 'set', changed: { author: 'bob', message: 'why' } },
    });
    const lines = String((await ask('GET', '/vips/entries')).body).split('\n');
    expect(lines.sort()).toEqual(['', '"7"', '"A2"', '"A3"']);
    expect((await ask('GET', '/vips/entries?q=a&limit=1')).body).toMatch(/^"A[23]"\n$/);
    expect((await ask('GET', '/vips/entries?limit=0')).status).toBe(400);
    expect((await ask('GET', '/vips/entries/7')).body).toEqual({ key: '7', value: null });
    expect((await ask('GET', '/vips/entries/A1')).status).toBe(404);
    await ask('PUT', '/limit?author=ann&kind=map', 'A1,5\nA2,7\n', { 'content-type': 'text/csv' });
    await ask('PUT', '/limit/entries/A1?author=ann', { value: 6 });
    expect((await ask('GET', '/limit/entries/A1')).body).toEqual({ key: 'A1', value: '6' });
    await ask('DELETE', '/limit/entries/A2?author=ann');
    expect((await ask('PUT', '/lines?author=ann', 'A1\nA2\n')).body).toMatchObject({ entries: 2, kind: 'set' });
    const { items: lists } = (await ask('GET', '')).body as { items: { name: string; entries: number }[] };
    expect(lists.map(({ name, entries }) => `${name} ${entries}`)).toEqual([
      ...['blocked 0', 'home 1', 'limit 1', 'lines 2', 'partners 0', 'vips 3'],
    ]);
    expect((await ask('DELETE', '/vips?author=ann')).status).toBe(204);
    expect((await ask('GET', '/vips')).status).toBe(404);
    await stop();
  });

  it('may be larger than other bodies, as text', async () => {
    const { ask, stop } = await served();
    const many = Array.from({ length: 200_000 }, (_, i) => `account-${i}`).join('\n');
    expect((await ask('PUT', '/many?author=ann', many)).body).toMatchObject({ entries: 200_000 });
    expect((await ask('PATCH', '/many?author=ann', many)).status).toBe(415);
    await stop();
  });

  it('are changed from the version that is meant, and no other', async () => {
    const { ask, stop } = await served();
    const none = { 'if-none-match': '*' };
    expect((await ask('PUT', '/vips?author=ann', ['A1'], none)).status).toBe(200);
    expect(await ask('PUT', '/vips?author=ann', ['A1'], none)).toMatchObject({ status: 412 });
    const { etag } = await ask('GET', '/vips');
    const match = { 'if-match': etag! };
    const next = await ask('PATCH', '/vips?author=ann', { put: ['A2'] }, match);
    expect([next.status, next.etag === etag]).toEqual([200, false]);
    expect(await ask('PATCH', '/vips?author=ann', { put: ['A3'] }, match)).toMatchObject({
      status: 412,
      body: { code: 'LIST_CHANGED' },
    });
    expect((await ask('DELETE', '/vips?author=ann', undefined, { 'if-match': next.etag! })).status).toBe(204);
    await stop();
  });

  it.each<[method: string, path: string, body: unknown, status: number, code: string]>([
    ['PUT', '/vips?author=ann&kind=bag', ['A1'], 400, 'INVALID_INPUT'],
    ['PUT', '/1st?author=ann', ['A1'], 400, 'INVALID_INPUT'],
    ['PUT', '/vips?author=ann&kind=map', ['A1'], 400, 'INVALID_INPUT'],
    ['PATCH', '/blocked?author=ann', { put: [{}] }, 400, 'INVALID_INPUT'],
    ['PATCH', '/none?author=ann', { put: ['A1'] }, 404, 'NOT_FOUND'],
    ['PUT', '/home?author=ann', { A1: 'FR' }, 409, 'LIST_SOURCED'],
    ['PUT', '/blocked?author=ann&kind=map', { A1: 'FR' }, 409, 'LIST_OTHER_KIND'],
    ['DELETE', '/blocked?author=ann', undefined, 409, 'LIST_IN_USE'],
    ['DELETE', '/none?author=ann', undefined, 404, 'LIST_UNKNOWN'],
  ])('%s %s is refused when it cannot be', async (method, path, body, status, code) => {
    const { ask, stop, group } = await served();
    group.used.set('blocked', ['some-rule']);
    expect(await ask(method, path, body)).toMatchObject({ status, body: { status, code } });
    await stop();
  });
});
