import { randomBytes } from 'node:crypto';
import { type ClaimingStore, type ObjectStore, ObjectStoreError } from '../../src/runtime/ports/object-store.js';

/** One empty store under test. */
export interface ObjectStoreFixture {
  readonly store: ObjectStore;
  /** Another store over the same objects, as another instance of the service has it. */
  another(): Promise<ObjectStore>;
  /** Closes them, and takes away what they hold. */
  dispose(): Promise<void>;
}

const LARGE_BYTES = 20 * 1024 * 1024;

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
const text = (content: Uint8Array | null): string | null =>
  content === null ? null : new TextDecoder().decode(content);

/** States what every implementation of the object port must do. `make` is called before each test. */
export function describeObjectStoreContract(name: string, make: () => Promise<ObjectStoreFixture>): void {
  describe(`${name} keep the contract of the object store`, () => {
    let fixture: ObjectStoreFixture;
    let store: ObjectStore;

    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });

    afterEach(() => fixture.dispose());

    const gotten = async (object: string) => text(await store.get(object));

    it('have nothing at first', async () => {
      expect(await store.get('a')).toBeNull();
      expect(await store.list('')).toEqual([]);
    });

    it('give back what was put, also to another instance', async () => {
      await store.put('group/t-0/manifest-1', bytes('one'));
      await store.put('group/t-0/base-1', bytes('two'));
      await store.put('top', bytes('three'));
      const another = await fixture.another();
      for (const each of [store, another]) {
        expect(text(await each.get('group/t-0/manifest-1'))).toBe('one');
        expect(text(await each.get('group/t-0/base-1'))).toBe('two');
        expect(text(await each.get('top'))).toBe('three');
        expect(await each.get('group/t-0')).toBeNull();
        expect(await each.get('group/t-0/manifest')).toBeNull();
        expect(await each.get('top/below')).toBeNull();
      }
    });

    it('take every character that a name may have', async () => {
      const all = 'Az09._-=/..a/-/_/=2f';
      await store.put(all, bytes('x'));
      expect(await gotten(all)).toBe('x');
      expect(await store.list('')).toEqual([all]);
    });

    it('refuse what is no name', async () => {
      expect(await store.list('../')).toEqual([]);
      for (const wrong of ['', '/a', 'a/', 'a//b', '..', 'a/../b', './a', 'a b', 'a#1', 'ä', 'a\\b']) {
        await expect(store.put(wrong, bytes('x'))).rejects.toThrow(ObjectStoreError);
      }
      expect(await store.list('')).toEqual([]);
    });

    it('replace what had the name', async () => {
      await store.put('a/b', bytes('a long first version'));
      await store.put('a/b', bytes('second'));
      expect(await gotten('a/b')).toBe('second');
      await store.put('a/b', bytes(''));
      expect(await gotten('a/b')).toBe('');
      expect(text(await (await fixture.another()).get('a/b'))).toBe('');
      expect(await store.list('')).toEqual(['a/b']);
    });

    it('keep bytes as they are, from none to many', async () => {
      for (const size of [0, 1, 255, 65_536, 1_000_003]) {
        const content = randomBytes(size);
        await store.put(`sizes/${size}`, content);
        expect(content.equals((await store.get(`sizes/${size}`)) ?? bytes('none'))).toBe(true);
      }
    });

    it('keep large objects, replace them by smaller and larger ones, and delete them', async () => {
      const large = randomBytes(LARGE_BYTES);
      await store.put('large', large);
      expect(large.equals((await store.get('large')) ?? bytes('none'))).toBe(true);
      const another = await fixture.another();
      const half = large.subarray(0, LARGE_BYTES / 2);
      await another.put('large', half);
      expect(half.equals((await store.get('large')) ?? bytes('none'))).toBe(true);
      await store.put('large', bytes('small'));
      expect(text(await another.get('large'))).toBe('small');
      await store.put('large', large);
      expect(large.equals((await another.get('large')) ?? bytes('none'))).toBe(true);
      await another.delete('large');
      expect(await store.get('large')).toBeNull();
    });

    it('do not change when the bytes that were put, or gotten, are changed', async () => {
      const content = bytes('before');
      await store.put('a', content);
      content.fill(0);
      const got = (await store.get('a')) as Uint8Array;
      expect(text(got)).toBe('before');
      got.fill(0);
      expect(await gotten('a')).toBe('before');
    });

    it('list the names that begin with a prefix, in order of their bytes', async () => {
      const names = [
        'a/b/c',
        'a-1',
        'a.1',
        'a/B',
        'a/b/a',
        'a/b-/x',
        'a/bb',
        'b/a',
        'a=1',
        'a_1',
        'A/z',
        'a/10',
        'a/9',
      ];
      for (const name of names) await store.put(name, bytes(name));
      const sorted = [...names].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      for (const prefix of ['', 'a', 'a/', 'a/b', 'a/b/', 'a/b/c', 'a/b/cd', 'b/', 'c', 'a/1', '/']) {
        expect([prefix, await store.list(prefix)]).toEqual([prefix, sorted.filter((n) => n.startsWith(prefix))]);
      }
      expect(await (await fixture.another()).list('a/b')).toEqual(sorted.filter((n) => n.startsWith('a/b')));
    });

    it('list many names', async () => {
      const names = Array.from({ length: 150 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
      for (let i = 0; i < names.length; i += 15) {
        await Promise.all(names.slice(i, i + 15).map((name) => store.put(name, bytes('x'))));
      }
      expect(await store.list('many/')).toEqual(names);
      expect(await store.list('many/014')).toEqual(names.slice(140));
    });

    it('delete, and do nothing where there is nothing', async () => {
      await store.put('a/b', bytes('b'));
      await store.put('a/c', bytes('c'));
      await store.delete('a/b');
      await store.delete('a/b');
      await store.delete('never');
      await store.delete('a/c/below');
      expect(await store.get('a/b')).toBeNull();
      expect(await store.list('')).toEqual(['a/c']);
      const another = await fixture.another();
      expect(await another.get('a/b')).toBeNull();
      await store.put('a/b', bytes('again'));
      expect(text(await another.get('a/b'))).toBe('again');
    });

    it('tell instances that have looked before what others have put, replaced and deleted since', async () => {
      const another = await fixture.another();
      await store.put('a', bytes('1'));
      await store.put('b', bytes('1'));
      expect(await another.list('')).toEqual(['a', 'b']);
      await store.put('a', bytes('2'));
      await store.delete('b');
      await store.put('c', bytes('3'));
      expect([text(await another.get('a')), text(await another.get('b')), text(await another.get('c'))]).toEqual([
        '2',
        null,
        '3',
      ]);
      expect(await another.list('')).toEqual(['a', 'c']);
    });

    it('keep one whole version of several that are put at once', async () => {
      const another = await fixture.another();
      const versions = [0, 1, 2, 3].map((i) => Buffer.alloc(2_000_000 + i * 500_000, i + 1));
      await Promise.all(versions.map((version, i) => (i % 2 === 0 ? store : another).put('contended', version)));
      const first = (await store.get('contended')) as Uint8Array;
      expect(versions.some((version) => version.equals(first))).toBe(true);
      expect(Buffer.from(first).equals((await another.get('contended')) ?? bytes('none'))).toBe(true);
      await Promise.all([0, 1, 2, 3, 4, 5].map((i) => store.put(`apart/${i}`, bytes(`${i}`))));
      expect(await Promise.all([0, 1, 2, 3, 4, 5].map((i) => gotten(`apart/${i}`)))).toEqual([...'012345']);
    });

    it('show an object whole or not at all while it is replaced', async () => {
      const another = await fixture.another();
      const versions = [1, 2, 3, 4].map((i) => Buffer.alloc(1_500_000, i));
      await store.put('a', versions[0] as Buffer);
      let writing = true;
      const replaced = (async () => {
        for (const version of versions.slice(1)) await store.put('a', version);
        writing = false;
      })();
      let looks = 0;
      while (writing) {
        const got = (await another.get('a')) as Uint8Array;
        expect(versions.some((version) => version.equals(got))).toBe(true);
        looks++;
      }
      await replaced;
      expect(looks).toBeGreaterThan(0);
      expect((versions.at(-1) as Buffer).equals((await another.get('a')) ?? bytes('none'))).toBe(true);
    });

    it('do nothing with a signal that is aborted already, and say why', async () => {
      await store.put('kept', bytes('kept'));
      const signal = AbortSignal.abort(new Error('given up'));
      await expect(store.put('a', bytes('a'), signal)).rejects.toThrow('given up');
      await expect(store.get('kept', signal)).rejects.toThrow('given up');
      await expect(store.list('', signal)).rejects.toThrow('given up');
      await expect(store.delete('kept', signal)).rejects.toThrow('given up');
      expect(await store.list('')).toEqual(['kept']);
    });

    it('show nothing of a put that is given up half-way, or all of it', async () => {
      const large = randomBytes(LARGE_BYTES);
      const stop = new AbortController();
      const put = store.put('given-up', large, stop.signal);
      setImmediate(() => stop.abort(new Error('given up')));
      const done = await put.then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('given up');
          return false;
        },
      );
      const another = await fixture.another();
      const got = await another.get('given-up');
      if (done || got !== null) expect(large.equals(got ?? bytes('none'))).toBe(true);
      else expect(await another.list('')).toEqual([]);
      await store.put('given-up', bytes('at the second attempt'));
      expect(text(await another.get('given-up'))).toBe('at the second attempt');
    });
  });
}

/** States what a store must do beside, in which one of several writers can be the first. */
export function describeClaimingStoreContract(
  name: string,
  make: () => Promise<ObjectStoreFixture & { readonly store: ClaimingStore }>,
): void {
  describe(`${name} can be claimed`, () => {
    it('by the first alone, whoever else tries at the same time', async () => {
      const { store, another, dispose } = await make();
      const other = (await another()) as ClaimingStore;
      const tries = Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? store : other).create('a/b', bytes(String(n))));
      const first = (await Promise.all(tries)).flatMap((isOurs, n) => (isOurs ? [n] : []));
      expect(first).toHaveLength(1);
      expect(text(await other.get('a/b'))).toBe(String(first[0]));
      expect(await store.create('a/b', bytes('later'))).toBe(false);
      await store.delete('a/b');
      expect(await store.create('a/b', bytes('anew'))).toBe(true);
      expect(await store.list('')).toEqual(['a/b']);
      await dispose();
    });
  });
}
