import { differsInLists } from '../../../runtime/journal/rule-set-version.js';
import { listOf } from '../../../runtime/lists/read-list.js';
import { listData, ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import { loadSettings } from '../../../runtime/settings/index.js';
import { ManualClock } from '../../../runtime/testing/manual-clock.js';
import { makeStreams } from '../streams/stream-parts.js';
import { RuleSetError, ruleSetReader, ruleSetsOf, withLists } from './rule-set.js';

const loaded = loadSettings({ env: {} });
if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
const { settings } = loaded;
const streams = makeStreams({
  ...{ settings, clock: new ManualClock() },
  onTrouble: () => undefined,
  onRecovered: () => undefined,
});

const listed = (sanctioned: readonly string[]) =>
  new ReferenceLists({
    sanctioned: listData('set', listOf(sanctioned)),
    other: listData('set', listOf(['x'])),
  });

const ruleOf = (where: string) => [
  { file: 'a/pattern.yaml', text: `id: a\nkey: accountId\npattern:\n  - begin: payment\n    where: ${where}\n` },
];
const asking = ruleOf("country in list('sanctioned')");
const versionWith = (entries: readonly string[], rules = asking) =>
  ruleSetsOf(rules, settings, streams, listed(entries)).source;

describe('a rule set whose rules ask lists', () => {
  it('is another version when what they hold is another, and the same when only their order is', () => {
    expect(versionWith(['KP', 'IR']).digest).toBe(versionWith(['IR', 'KP']).digest);
    expect(versionWith(['KP']).digest).not.toBe(versionWith(['KP', 'IR']).digest);
  });

  it('does not depend on lists that no rule asks', () => {
    const silent = ruleOf('amount > 5');
    expect(versionWith(['KP'], silent).digest).toBe(versionWith(['IR'], silent).digest);
  });

  const read = (
    body: Uint8Array,
    then: ReferenceLists,
    bodyOf = async (_: string): Promise<Uint8Array | undefined> => undefined,
  ) => ruleSetReader({ streams, today: () => listed(['IR']), asOf: async () => then, current: () => [] })(body, bodyOf);

  it('asks them as they were when it is read again', async () => {
    const before = versionWith(['KP']);
    const { apart } = before;
    const again = await read(before.body, listed(['KP']), async (of) =>
      of === apart!.digest ? apart!.body : undefined,
    );
    expect(again.digest).toBe(before.digest);
    expect(['KP', 'IR'].map((country) => again.options.lists!.has('sanctioned', country))).toEqual([true, false]);
    expect(new TextDecoder().decode(again.body)).toBe(new TextDecoder().decode(before.body));
  });

  it('names its rules in a body apart, so that a change of a list does not write them again', () => {
    const sets = ruleSetsOf(asking, settings, streams, listed(['KP']));
    const next = withLists(sets, listed(['KP', 'IR'])).source;
    expect([differsInLists(sets.source, next), next.apart]).toEqual([true, sets.source.apart]);
    expect(next.rules).toBe(sets.source.rules);
    expect(next.digest).toBe(versionWith(['KP', 'IR']).digest);
    expect(next.body.length).toBeLessThan(200);
    expect(withLists(sets, listed(['KP'])).source).toBe(sets.source);
  });

  it('cannot be read again when its rules are not in the journal', async () => {
    await expect(read(versionWith(['KP']).body, listed(['KP']))).rejects.toThrow('are not in the journal');
  });

  it('does not hold when there is no such list', () => {
    expect(() => versionWith([], ruleOf("country in list('santioned')"))).toThrow(RuleSetError);
  });
});

it('is another version once events are forwarded by a field that none of its rules reads', () => {
  const own = ruleOf('amount > 5');
  const keyed = (key: string) => ({
    file: 'b/pattern.yaml',
    text: `id: b\nkey: ${key}\npattern:\n  - begin: payment\n    where: amount > 5\n`,
  });
  const versions = [[], [keyed('deviceId')], [keyed('country')]].map(
    (more) => ruleSetsOf([...own, ...more], settings, streams, listed([])).source,
  );
  expect(versions.map(({ forwards }) => forwards)).toEqual([undefined, ['deviceId'], ['country']]);
  expect(new Set(versions.map(({ digest }) => digest)).size).toBe(3);
});

it('reads each rule set of before as it was, whatever was read before it', async () => {
  const sets = ['amount > 5', 'amount > 6', 'amount > 7'].map((where) => versionWith([], ruleOf(where)));
  const reader = ruleSetReader({ streams, today: () => listed([]), asOf: async () => listed([]), current: () => [] });
  const again = [];
  for (const { body } of [...sets, ...sets]) again.push((await reader(body, async () => undefined)).digest);
  expect(again).toEqual([...sets, ...sets].map(({ digest }) => digest));
});
