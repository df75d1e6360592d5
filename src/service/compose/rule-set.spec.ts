import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptLists } from '../../runtime/lists/kept-lists.js';
import { listOf } from '../../runtime/lists/read-list.js';
import { listData, ReferenceLists } from '../../runtime/lists/reference-lists.js';
import { loadSettings } from '../../runtime/settings/index.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { RuleSetError, ruleSetReader, ruleSetsOf } from './rule-set.js';
import { makeStreams } from './stream-parts.js';

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
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stakeout-rule-set-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is another version when what they hold is another, and the same when only their order is', () => {
    expect(versionWith(['KP', 'IR']).digest).toBe(versionWith(['IR', 'KP']).digest);
    expect(versionWith(['KP']).digest).not.toBe(versionWith(['KP', 'IR']).digest);
  });

  it('does not depend on lists that no rule asks', () => {
    const silent = ruleOf('amount > 5');
    expect(versionWith(['KP'], silent).digest).toBe(versionWith(['IR'], silent).digest);
  });

  it('asks them as they were when it is read again', async () => {
    const before = versionWith(['KP']);
    const kept = new KeptLists(folder);
    await kept.keep(listed(['KP']), ['sanctioned']);
    const again = await ruleSetReader(streams, listed(['IR']), kept)(before.body);
    expect(again.digest).toBe(before.digest);
    expect(['KP', 'IR'].map((country) => again.options.lists!.has('sanctioned', country))).toEqual([true, false]);
    expect(new TextDecoder().decode(again.body)).toBe(new TextDecoder().decode(before.body));
  });

  it('cannot be read again when what they held is gone', async () => {
    const read = ruleSetReader(streams, listed(['IR']), new KeptLists(folder));
    await expect(read(versionWith(['KP']).body)).rejects.toThrow('asked the list sanctioned as it was then');
  });

  it('does not hold when there is no such list', () => {
    expect(() => versionWith([], ruleOf("country in list('santioned')"))).toThrow(RuleSetError);
  });
});
