import { systemClock } from '../../connectors/system-clock.js';
import { type RuleText, readRules } from '../../rules/index.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { StoppedRule } from '../../runtime/task/keyed/quarantine.js';
import { RuleControl } from '../rules/rule-control.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';

const RULE: RuleText = {
  file: 'burst/pattern.yaml',
  text: 'id: burst # a burst\nkey: accountId\nonUpdate: keep\npattern:\n  - begin: one\n    times: 3\n',
};
const STOPPED: StoppedRule = {
  ...{ id: 'burst', revision: 'r', reason: 'runs', detail: 'more than 10 partial matches of one key' },
  ...{ key: 'A1', time: 5, event: null },
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(quarantined: readonly StoppedRule[]) {
  const { rules } = await readRules([RULE]);
  const control = new RuleControl({
    ...{ log: new MemoryLog(), clock: systemClock, topic: 'rules', approval: false, read: (files) => readRules(files) },
    initial: { all: rules, files: [RULE], rules, sources: [RULE], diagnostics: [] },
    ...{ report: () => undefined, warn: () => undefined },
  });
  await control.open();
  control.attach(new FakeDetector());
  const { service, detector } = await aService({ rules: control });
  await service.start();
  closing.push(
    () => control.stop(),
    () => service.stop(),
  );
  const partition = { topic: 't', partition: 3, position: 1, watermark: null, quarantined };
  detector.set({ partitions: [partition as never] });
  const lift = async (payload: object = {}, id = 'burst') => {
    const answer = await service.app.inject({ method: 'POST', url: `/v1/patterns/${id}/quarantine/lift`, payload });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { control, lift };
}

describe('POST /v1/patterns/{id}/quarantine/lift', () => {
  it('publishes the rule as another revision of the same text, signed, with nothing under way', async () => {
    const { control, lift } = await started([STOPPED]);
    const before = control.rules[0]!.revision;
    expect((await lift({ author: 'ann', message: 'the feed is mended' })).body).toMatchObject({
      ...{ outcome: 'live', revision: 1 },
      changes: [{ id: 'burst', change: 'changed', runs: 'restarted' }],
    });
    expect(control.files[0]!.text).toBe(RULE.text.replace('burst # a burst\n', 'burst # a burst\nlifted: 1\n'));
    expect([control.rules[0]!.lifted, control.rules[0]!.revision === before]).toEqual([1, false]);
    expect(control.history.at(-1)).toMatchObject({ author: 'ann', message: 'the feed is mended' });
    expect((await lift()).body).toMatchObject({ outcome: 'live', revision: 2 });
    expect(control.files[0]!.text).toContain('lifted: 2\n');
    expect(control.history.at(-1)).toMatchObject({ message: 'burst let out of quarantine' });
  });

  it('is refused where nothing is stopped, unless one says anyway', async () => {
    const { control, lift } = await started([]);
    expect(await lift()).toMatchObject({ status: 409, body: { code: 'NOT_IN_QUARANTINE' } });
    expect(await lift({ anyway: true, dryRun: true })).toMatchObject({ status: 200, body: { outcome: 'checked' } });
    expect(control.history).toEqual([]);
    expect((await lift({}, 'none')).status).toBe(404);
  });
});
