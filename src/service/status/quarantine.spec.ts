import type { StoppedRule } from '../../runtime/task/keyed/quarantine.js';
import type { RuleControl } from '../rules/rule-control.js';
import { aService, type TestService } from '../testing/a-service.js';

const stopped: StoppedRule = {
  ...{ id: 'bad', revision: 'r1', reason: 'runs', detail: 'more than 2 partial matches of one key' },
  ...{ key: 'A1', time: 1000, event: { topic: 'transactions', partition: 0, offset: 7 } },
};
const partition = {
  ...{ topic: 'transactions', partition: 0, phase: 'live' as const, position: 90, endOffset: 100, watermark: 999_000 },
  ...{ recordTime: 998_000, maxEventTime: 999_500, idle: false, keys: 7, runs: 3, buffered: 2 },
  memory: { hotKeys: 4, coldKeys: 3, coldBytes: 500, tableBytes: 9000 },
  quarantined: [stopped],
};

let test: TestService;
afterEach(() => test.service.stop());

describe('a rule in quarantine', () => {
  it('is told by the status, the rules, the metrics and the log', async () => {
    const rule = { id: 'bad', status: 'live', revision: 'r1', source: 'bad/pattern.yaml' };
    const rules = {
      ...{ files: [{ file: rule.source, text: 'id: bad' }], rules: [rule, { ...rule, id: 'good' }] },
      status: () => ({
        ...{ revision: 3, pending: [], intact: true, trouble: null },
        counts: { draft: 0, shadow: 0, live: 2, canary: 0, retired: 0 },
      }),
    } as unknown as RuleControl;
    test = await aService({ rules });
    await test.service.start();
    test.detector.set({ partitions: [partition] });
    const get = (url: string) => test.service.app.inject({ method: 'GET', url });
    expect((await get('/v1/status')).json()).toMatchObject({ detector: { partitions: [{ quarantined: [stopped] }] } });
    expect((await get('/v1/rules')).json()).toMatchObject({
      rules: [
        { id: 'bad', quarantined: [{ topic: 'transactions', partition: 0, ...stopped }] },
        { id: 'good', quarantined: [] },
      ],
    });
    expect((await get('/metrics')).body).toContain('stakeout_patterns_quarantined 1');
    test.detector.listener.onQuarantined?.({ topic: 'transactions', partition: 0 }, stopped);
    const line = test.logLines.find((text) => text.includes('stopped in this partition'))!;
    expect(JSON.parse(line)).toMatchObject({ pattern: 'bad', reason: 'runs', event: { offset: 7 } });
    expect(line).not.toContain('A1');
  });
});
