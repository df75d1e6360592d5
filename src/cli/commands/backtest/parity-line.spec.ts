import { RULES } from '../../../../test/harness/lane-kit.js';
import type { ToldAlert } from '../../../backtest/findings/findings.js';
import type { Protocol } from '../../../backtest/plan/protocol.js';
import { digestOfAlert } from '../../../backtest/run/digest.js';
import { parity } from '../../../backtest/verify/parity.js';
import { MemoryLog } from '../../../runtime/memory/memory-log.js';
import type { Alert } from '../../../runtime/ports/alert.js';
import { ManualClock } from '../../../runtime/testing/manual-clock.js';
import { parityLine } from './parity-line.js';

const rule = RULES[0]!;
const protocol = { from: 0, to: 1000 } as Protocol;
const decoder = { decode: (value: Uint8Array) => JSON.parse(String(Buffer.from(value))) as Alert };

const alertAt = (detectedAt: number, of: Partial<Alert> = {}): Alert => {
  const { id: patternId, revision } = rule;
  const own = { id: `alert-${detectedAt}`, patternId, revision, key: 'k', detectedAt, score: 50, message: 'seen' };
  return { ...own, ...of } as Alert;
};

const toldOf = (alert: Alert): ToldAlert => {
  const { id, patternId, key, detectedAt } = alert;
  return { id, patternId, key, detectedAt, digest: digestOfAlert(alert) };
};

/** Compares alerts that a service has committed with those of a back-test. */
async function compared(live: readonly Alert[], replayed: readonly Alert[], passedByAll = {}, kept = replayed.length) {
  const log = new MemoryLog({ clock: new ManualClock() });
  await log.createTopic({ name: 'alerts', partitions: 1 });
  const producer = await log.producer();
  await producer.send(
    live.map((alert) => ({ topic: 'alerts', partition: 0, key: null, value: Buffer.from(JSON.stringify(alert)) })),
  );
  const found = replayed.slice(0, kept).map(toldOf);
  const run = { digest: 'f'.repeat(64), alerts: replayed.length, passedByAll, found };
  return parity({ log, alertsTopic: 'alerts', decoder, rules: [rule], protocol, replayed: run });
}

describe('the line of a report on parity', () => {
  it('names the alerts that only one side has, and those in which they differ', async () => {
    const both = [1, 2].map((at) => alertAt(at));
    const live = [...both, alertAt(3), alertAt(5, { score: 70 })];
    const found = await compared(live, [...both, alertAt(4), alertAt(5)]);
    expect(parityLine(found)!.split('\n').slice(1, 4)).toEqual([
      `The service alone has ${rule.id} k 1970-01-01T00:00:00.003Z (alert-3).`,
      `The back-test alone has ${rule.id} k 1970-01-01T00:00:00.004Z (alert-4).`,
      `Both have, with another score, message, key or time, ${rule.id} k 1970-01-01T00:00:00.005Z (alert-5).`,
    ]);
  });

  it('names the first few of many', async () => {
    const found = await compared(
      [alertAt(1)],
      Array.from({ length: 9 }, (_, i) => alertAt(9 - i)),
    );
    expect(found!.differences!.replayedAlone.first.map(({ detectedAt }) => detectedAt)).toEqual([2, 3, 4, 5, 6]);
    expect(parityLine(found)).toMatch(/\(alert-6\) and 3 more\./);
  });

  it('leaves out what one side alone has after what all partitions have passed, and says so', async () => {
    const upTo = { [rule.id]: 4 };
    const found = await compared(
      [1, 4, 6, 8].map((at) => alertAt(at)),
      [1, 4, 5, 7, 8].map((at) => alertAt(at)),
      upTo,
    );
    expect(found).toMatchObject({ equal: true, alertsLive: 3, alertsReplayed: 3, notCompared: 3, comparedUpTo: 4 });
    expect(parityLine(found)).toMatch(/Left out: 3 that one side alone has, .* after 1970-01-01T00:00:00.004Z/);
  });

  it('tells of digests alone where alerts were too many to keep', async () => {
    const found = await compared(
      [alertAt(1)],
      [1, 2].map((at) => alertAt(at)),
      {},
      1,
    );
    expect(found).toMatchObject({ equal: false, differences: null, alertsReplayed: 2 });
    expect(parityLine(found)).toMatch(/too many alerts/);
  });

  it('has nothing to say where the service has committed no alert of these rules', async () => {
    expect(parityLine(await compared([alertAt(1, { revision: 'other' })], [alertAt(1)]))).toBeNull();
  });
});
