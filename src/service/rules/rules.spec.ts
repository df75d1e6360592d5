import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { systemClock } from '../../connectors/system-clock.js';
import { loadRules, type Rule, type RuleText, readRules } from '../../rules/index.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { seal } from '../../runtime/rulebook/revision.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import type { RunningRules } from '../compose/rules/running-rules.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';
import { withRule } from './edit-rule.js';
import { detailOf, versionOf } from './revision-view.js';
import { RuleControl } from './rule-control.js';
import { planOf } from './rule-plan.js';
import { rulesFolder } from './rules-folder.js';

const TOPIC = 'stakeout-rules';
const rule = (id: string, more = 'where: amount > 1000'): RuleText => ({
  file: `${id}/pattern.yaml`,
  text: `id: ${id}\nkey: accountId\nwithin: 10m\npattern:\n  - begin: large\n    ${more}\n  - followedBy: next\n    where: amount < 10\n`,
});
const [A, B] = [rule('a'), rule('b')];
const by = { author: 'ann', message: 'a test' };

class Detector extends FakeDetector {
  readonly got: (readonly RuleText[])[] = [];
  async changeRules(sources: readonly RuleText[]): Promise<void> {
    this.got.push(sources);
  }
}

async function process(log: MemoryLog, files: readonly RuleText[] = [A], approval = false) {
  const { rules } = await readRules(files);
  const initial: RunningRules = { all: rules, files, rules, sources: files, diagnostics: [] };
  const lines: string[] = [];
  const control = new RuleControl({
    ...{ log, clock: systemClock, topic: TOPIC, approval, initial, read: (texts) => readRules(texts) },
    report: (text) => lines.push(text),
    warn: (text, trouble) => lines.push(`${text}: ${trouble.message}`),
  });
  const detector = new Detector();
  await control.open();
  control.attach(detector);
  controls.push(control);
  return { control, detector, lines };
}

const controls: RuleControl[] = [];
afterEach(async () => {
  for (const control of controls.splice(0)) await control.stop();
});

const ids = ({ control }: { control: RuleControl }) => control.running.map(({ id }) => id).sort();

describe('rules that are changed while the service runs', () => {
  it('come to all processes from the topic, and to those that start later instead of their folder', async () => {
    const log = new MemoryLog();
    const [one, other] = [await process(log), await process(log)];
    const applied = await one.control.apply([A, B], by);
    expect(applied).toMatchObject({
      outcome: 'live',
      revision: 1,
      changes: [{ id: 'b', change: 'added', runs: null }],
    });
    await until(() => ids(other).length === 2, 'the other process to follow');
    expect(one.detector.got).toEqual([[A, B]]);
    expect(other.detector.got).toEqual([[A, B]]);
    const later = await process(log);
    expect(ids(later)).toEqual(['a', 'b']);
    expect(later.lines).toEqual([
      expect.stringMatching(/rules are those of revision 1 .* publish them with stakeout apply/),
    ]);
  });

  it('are checked as a whole: a set with an error changes nothing', async () => {
    const run = await process(new MemoryLog());
    const broken = {
      file: 'b/pattern.yaml',
      text: 'id: b\nkey: accountId\npattern:\n  - begin: x\n    where: amount >\n',
    };
    await expect(run.control.apply([A, broken], by)).rejects.toMatchObject({ code: 'RULES_REFUSED' });
    await expect(run.control.apply([rule('a', 'where: "false"')].map(draft), by)).rejects.toMatchObject({
      diagnostics: [expect.objectContaining({ code: 'no-rules' })],
    });
    expect([ids(run), run.control.history]).toEqual([['a'], []]);
  });

  it.each<[what: string, text: string, runs: string]>([
    ['only a condition', 'where: amount > 500', 'kept'],
    ['a quantifier', 'where: amount > 1000\n    times: 2', 'restarted'],
  ])('say what becomes of runs under way where %s changed', async (_, more, runs) => {
    const run = await process(new MemoryLog());
    const { changes } = await run.control.apply([rule('a', more)], by, true);
    expect(changes).toEqual([expect.objectContaining({ id: 'a', change: 'changed', runs })]);
    expect(run.control.history).toEqual([]);
  });

  it('drain beside the new ones where the author says so, and refuse to keep what cannot be kept', async () => {
    const run = await process(new MemoryLog());
    const draining = { ...rule('a', 'where: amount > 1000\n    times: 2') };
    const text = `onUpdate: drain\n${draining.text}`;
    await run.control.apply([{ ...draining, text }], by);
    expect(run.detector.got[0]).toEqual([
      { ...draining, text },
      expect.objectContaining({ text: A.text, drains: true }),
    ]);
    const keeping = { file: 'a/pattern.yaml', text: `onUpdate: keep\n${A.text}` };
    await expect(run.control.apply([keeping], by)).rejects.toMatchObject({
      diagnostics: [expect.objectContaining({ code: 'cannot-keep', line: 1 })],
    });
  });

  it('are brought back by one command', async () => {
    const run = await process(new MemoryLog());
    await run.control.apply([A, B], by);
    await run.control.apply([B], by);
    expect(await run.control.rollback(undefined, by)).toMatchObject({
      revision: 3,
      changes: [{ id: 'a', change: 'added' }],
    });
    expect(ids(run)).toEqual(['a', 'b']);
    await expect(run.control.rollback(9, by)).rejects.toThrow('There is no revision 9.');
  });

  it('are those of the folder again, where these ran here before the first set was published', async () => {
    const log = new MemoryLog();
    const run = await process(log);
    await run.control.apply([B], by);
    const later = await process(log, [B]);
    await expect(later.control.rollback(undefined, by)).rejects.toThrow('no revision before the one in force');
    await run.control.rollback(undefined, by);
    expect(ids(run)).toEqual(['a']);
  });

  it('are known by the revision that their alerts name, whatever became of them', async () => {
    const log = new MemoryLog();
    const { control } = await process(log);
    const revisionOf = () => control.rules.find(({ id }) => id === 'a')!.revision;
    const first = revisionOf();
    const changed = rule('a', 'where: amount > 2000');
    await control.apply([changed, B], by);
    await until(() => revisionOf() !== first, 'the first change');
    const second = revisionOf();
    await control.apply([B], by);
    await until(() => control.rules.length === 1, 'the second change');
    expect(await versionOf(control, 'a', first)).toEqual({ n: null, file: A.file, yaml: A.text });
    expect(await versionOf(control, 'a', second)).toEqual({ n: 1, file: changed.file, yaml: changed.text });
    expect(await versionOf(control, 'a', '0123456789abcdef')).toBe(null);
    expect(await versionOf(control, 'b', second)).toBe(null);
  });

  it('carry their own tests, of which the lanes are told nothing', async () => {
    const log = new MemoryLog();
    const run = await process(log);
    const tested = { ...A, tests: 'tests: []\n' };
    expect(await run.control.apply([tested, B], by)).toMatchObject({ outcome: 'live', revision: 1 });
    expect(run.detector.got.at(-1)).toEqual([A, B]);
    expect((await process(log)).control.files).toEqual([tested, B]);
    // Others are another revision, though no rule means anything else.
    const { control } = run;
    const applied = await control.apply(withRule(control, 'a', A.text, 'tests: [{name: x}]\n'), by);
    expect(applied).toMatchObject({ outcome: 'live', revision: 2, changes: [] });
    expect(detailOf(control, 2)?.changedTests).toEqual([
      { id: 'a', before: 'tests: []\n', after: 'tests: [{name: x}]\n' },
    ]);
    expect(withRule(control, 'a', rule('a', 'where: amount > 7').text)[0]).toMatchObject({
      tests: 'tests: [{name: x}]\n',
    });
    expect(withRule(control, 'a', A.text, '')[0]).toEqual(A);
    await control.rollback(1, by);
    expect(control.files).toEqual([tested, B]);
  });

  it('wait for someone else than their author where approval is asked for', async () => {
    const run = await process(new MemoryLog(), [A], true);
    expect(await run.control.apply([B], by)).toMatchObject({ outcome: 'pending', revision: 1 });
    expect([ids(run), run.control.status().pending]).toEqual([['a'], [1]]);
    await expect(run.control.approve(1, by)).rejects.toThrow('someone else must approve it');
    await run.control.approve(1, { author: 'bob', message: 'seen' });
    expect([ids(run), run.control.status().pending]).toEqual([['b'], []]);
    await expect(run.control.approve(1, { author: 'bob', message: '' })).rejects.toThrow('does not wait for approval');
  });

  it('have a history that cannot be changed unnoticed, and of two that were published at once the first holds', async () => {
    const log = new MemoryLog();
    const run = await process(log);
    await run.control.apply([A, B], by);
    const [first] = run.control.history;
    const producer = await log.producer();
    const write = (entry: object) =>
      producer.send([{ topic: TOPIC, partition: 0, key: null, value: Buffer.from(JSON.stringify(entry)) }]);
    const { hash: _, previous: __, ...plain } = first!;
    // As if another process had not heard of the first yet.
    await write(seal({ ...plain, author: 'eve' }, ''));
    await write({ ...first!, author: 'eve' });
    const later = await process(log);
    expect(later.control.history).toEqual([first]);
    expect(later.control.status()).toMatchObject({ revision: 1, intact: false });
  });

  it('are audited: an entry that was changed or taken out is told of, and so is one that was there before', async () => {
    const log = new MemoryLog();
    const run = await process(log);
    await run.control.apply([A, B], by);
    await run.control.apply([B], by);
    const whole = await run.control.audit();
    expect(whole).toMatchObject({ intact: true, entries: 2, damage: null });
    expect(whole.hashes).toContain(whole.head);
    const copy = async (entries: readonly object[]) => {
      const other = new MemoryLog();
      await other.createTopic({ name: TOPIC, partitions: 1, compacted: true });
      const producer = await other.producer();
      for (const entry of entries)
        await producer.send([{ topic: TOPIC, partition: 0, key: null, value: Buffer.from(JSON.stringify(entry)) }]);
      return (await process(other)).control.audit();
    };
    const [first, second] = run.control.history;
    expect(await copy([first!, second!])).toEqual(whole);
    expect(await copy([second!])).toMatchObject({
      intact: false,
      entries: 0,
      damage: expect.stringContaining('not there'),
    });
    expect(await copy([{ ...first!, author: 'eve' }, second!])).toMatchObject({ intact: false, entries: 0 });
  });

  it('say what is in force, and what waits', async () => {
    const run = await process(new MemoryLog(), [A], true);
    const shadow = { ...B, text: `status: shadow\n${B.text}` };
    const canary = { ...A, text: `canary: 10\n${A.text}` };
    await run.control.apply([canary, shadow, draft(rule('c'))], by);
    expect(run.control.status()).toMatchObject({ revision: null, pending: [1], counts: { live: 1, shadow: 0 } });
    await run.control.approve(1, { author: 'bob', message: '' });
    const counts = { draft: 1, shadow: 1, live: 0, canary: 1, retired: 0 };
    expect(run.control.status()).toEqual({ revision: 1, pending: [], intact: true, trouble: null, counts });
  });

  it('say that they are filled from the log', async () => {
    const run = await process(new MemoryLog());
    const filled = (of: RuleText) => ({ ...of, text: `onUpdate: backfill\n${of.text}` });
    expect(await run.control.apply([filled(rule('a', 'where: amount > 7')), filled(B)], by, true)).toMatchObject({
      changes: [
        { id: 'a', change: 'changed', runs: 'filled' },
        { id: 'b', change: 'added', runs: 'filled' },
      ],
    });
    const endless = filled({ ...B, text: B.text.replace('within: 10m\n', '') });
    await expect(run.control.apply([endless], by)).rejects.toMatchObject({
      diagnostics: [expect.objectContaining({ code: 'backfill-without-window', line: 1 })],
    });
  });

  it('say that they begin with nothing where no rule had their key, and why', () => {
    const rule = (id: string, key: string, more: Partial<Rule> = {}) =>
      ({ id, key, status: 'live', revision: `${id}-1`, source: `${id}/pattern.yaml`, streams: [], ...more }) as Rule;
    const [a, b, c] = [rule('a', 'accountId'), ...['b', 'c'].map((id) => rule(id, 'device', { onUpdate: 'backfill' }))];
    const d = rule('d', 'accountId', { onUpdate: 'backfill' });
    const forwardsTo = ({ key }: Rule) => (key === 'device' ? 'rows-by-device' : null);
    const file = { file: 'b/pattern.yaml', text: 'id: b\nonUpdate: backfill\n' };
    const running = (...rules: readonly Rule[]) => ({ rules, files: [], draining: [] });
    const { changes, warnings } = planOf(running(a!), [a!, b!, d], [file], forwardsTo);
    expect(changes.map(({ id, runs }) => [id, runs])).toEqual([
      ['b', null],
      ['d', 'filled'],
    ]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'nothing-to-fill', severity: 'warning', line: 2 })]);
    const later = planOf(running(a!, b!), [a!, b!, c!], [], forwardsTo);
    expect([later.changes.map(({ runs }) => runs), later.warnings]).toEqual([['filled'], []]);
  });

  it('are published from a watched folder, once it holds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-rules-'));
    const write = async ({ file, text }: RuleText) => {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), text);
    };
    await write(A);
    const run = await process(new MemoryLog());
    const clock = new ManualClock();
    const warnings: string[] = [];
    const part = rulesFolder({
      ...{ folder, control: run.control, clock, load: () => loadRules([folder]) },
      warn: (text, trouble) => warnings.push(`${text}: ${trouble.message}`),
    });
    await part.start();
    const settled = <T>(ready: () => T, what: string) =>
      until(() => {
        clock.advance(600);
        return ready();
      }, what);
    await write({ ...B, text: 'id: b\nkey: [' });
    await settled(() => warnings.length > 0, 'a warning');
    expect(ids(run)).toEqual(['a']);
    await write(B);
    await settled(() => ids(run).length === 2, 'the new rule');
    await part.stop();
    await rm(folder, { recursive: true });
  });
});

const draft = ({ file, text }: RuleText): RuleText => ({ file, text: `status: draft\n${text}` });

describe('rules over HTTP', () => {
  async function served() {
    const run = await process(new MemoryLog());
    const { service } = await aService({ rules: run.control });
    await service.start();
    const ask = async (path: string, body?: object) => {
      const options =
        body === undefined
          ? {}
          : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(`${service.url()}/v1${path}`, {
        ...options,
        signal: AbortSignal.timeout(20_000),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    return { ask, stop: () => service.stop() };
  }

  it('are listed, checked, applied and brought back', async () => {
    const { ask, stop } = await served();
    expect((await ask('/rules')).body).toMatchObject({ revision: null, rules: [{ id: 'a', text: A.text }] });
    const files = [A, B];
    expect(await ask('/rules/apply', { files, dryRun: true })).toMatchObject({
      status: 200,
      body: { outcome: 'checked' },
    });
    expect(await ask('/rules/apply', { files, author: 'ann' })).toMatchObject({ status: 200, body: { revision: 1 } });
    expect(await ask('/rules/apply', { files, author: 'ann' })).toMatchObject({ body: { outcome: 'unchanged' } });
    await ask('/rules/apply', { files: [B], author: 'bob', message: 'less' });
    expect(await ask('/rollback', { author: 'ann' })).toMatchObject({ status: 200, body: { revision: 3 } });
    const { head } = (await ask('/rules/audit')).body;
    expect((await ask(`/rules/audit?hash=${head}`)).body).toMatchObject({ intact: true, entries: 3, hasHash: true });
    expect((await ask('/rules/audit?hash=ab')).body).toMatchObject({ intact: true, hasHash: false });
    const { items: revisions } = (await ask('/revisions')).body as { items: { n: number; author: string }[] };
    expect(revisions.map(({ n, author }) => `${n} ${author}`)).toEqual(['3 ann', '2 bob', '1 ann']);
    await stop();
  });

  it.each([
    ['/rules/apply', { author: 'ann' }, 400, 'INVALID_INPUT'],
    ['/rules/apply', { files: [A], message: 7 }, 400, 'INVALID_INPUT'],
    ['/rules/apply', { files: [{ file: 'x.yaml', text: 'id: x\n' }], author: 'ann' }, 422, 'RULES_REFUSED'],
    ['/rollback', { author: 'ann', to: 7 }, 409, 'RULES_REVISION'],
    ['/revisions/1/approve', { author: 'ann' }, 409, 'RULES_REVISION'],
  ])('%s answers what is wrong', async (path, body, status, code) => {
    const { ask, stop } = await served();
    const answer = await ask(path, body);
    expect(answer).toMatchObject({ status, body: { status, code } });
    if (status === 422)
      expect(answer.body.diagnostics).toEqual(
        expect.arrayContaining([expect.objectContaining({ file: 'x.yaml', code: 'missing-key' })]),
      );
    await stop();
  });
});
