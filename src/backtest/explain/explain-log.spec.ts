import {
  allCommitted,
  type MemoryKit,
  makeLane,
  memoryKit,
  RULES,
  readRuleSet,
  rowsOf,
  ruleSetOf,
  stream,
} from '../../../test/harness/lane-kit.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { type ExplainLogOptions, explainFromLog } from './explain-log.js';

async function send(log: MemoryLog, rows: string, partition = 0): Promise<void> {
  const producer = await log.producer();
  const records = rowsOf(rows).map((record) => ({ ...record, partition }));
  await producer.send(records);
}

async function live(kit: MemoryKit, rows: string, rules = RULES): Promise<void> {
  const lane = makeLane(kit, { ruleSet: ruleSetOf(rules) });
  await lane.start();
  await send(kit.log, rows);
  await allCommitted(kit);
  await lane.stop();
}

const [sequence, , absence] = RULES;

const explained = (
  log: MemoryLog,
  pattern: string,
  at: number,
  more: Partial<ExplainLogOptions> = {},
): Promise<Explanation> =>
  explainFromLog({
    ...{ log, pattern, at, key: 'X', topics: ['rows'], journalTopic: 'journal', stream, streams: [stream] },
    ...{ current: ruleSetOf(RULES), readRuleSet },
    signal: new AbortController().signal,
    turn: async () => undefined,
    ...more,
  });

describe('an explanation from the log', () => {
  it('has the alert that was committed, if it fired', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Yb101 Xb106 Zz500');
    const { fired, alerts, summary, runs } = await explained(kit.log, sequence!.id, 106);
    expect([fired, alerts.map(({ steps }) => steps.map(({ events }) => events[0]!.id))]).toEqual([
      true,
      [['Xa100', 'Xb106']],
    ]);
    expect(summary).toMatch(/^It fired: /);
    expect(runs).toEqual([
      expect.objectContaining({
        end: { why: 'matched', at: 106 },
        taken: [
          expect.objectContaining({ step: 'A', event: expect.objectContaining({ id: 'Xa100' }) }),
          expect.objectContaining({
            step: 'B',
            condition: expect.objectContaining({ holds: true, values: { type: 'b' } }),
          }),
        ],
      }),
    ]);
  });

  it.each([
    ['of an absence, where what must not come has not', 'Xa100 Zz500', 140, ['matched']],
    ['of an absence, where it has', 'Xa100 Xc120 Zz500', 120, ['negation']],
  ])('tells %s', async (_, rows, at, ends) => {
    const kit = await memoryKit();
    await live(kit, rows);
    const { fired, runs } = await explained(kit.log, absence!.id, at);
    expect([fired, runs.map(({ end }) => end.why)]).toEqual([ends[0] === 'matched', ends]);
  });

  it('tells which step was reached and what ran out, of the events of the key alone', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Yb101 Xc120 Xb250 Zz500');
    const { fired, runs, events } = await explained(kit.log, sequence!.id, 150);
    expect([fired, events, runs.length]).toEqual([false, 2, 1]);
    expect(runs[0]).toMatchObject({
      ...{ reached: 1, of: 2, end: { why: 'within', at: 200 } },
      taken: [{ step: 'A', event: { id: 'Xa100', topic: 'rows', offset: 0 } }],
      awaited: [{ step: 'B', passed: 1, nearest: { event: { id: 'Xc120' }, condition: { holds: false } } }],
    });
  });

  it('is by the rule that was in force then, and says what runs now', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Zz500', [sequence!]);
    await live(kit, 'Xa510 Xb520 Zz900', [{ ...absence!, id: sequence!.id, revision: 'other' }]);
    const then = await explained(kit.log, sequence!.id, 150, {
      current: ruleSetOf([{ ...sequence!, revision: 'new' }]),
    });
    expect([then.revision, then.notes]).toEqual([
      sequence!.revision,
      ['The rule has been changed since, to revision new.'],
    ]);
    const later = await explained(kit.log, sequence!.id, 520);
    expect(later.notes[0]).toContain('The rule was changed in that time');
  });

  it('stops reading where all that matters is known', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Zz500 Zz600');
    await send(kit.log, Array.from({ length: 5000 }, (_, i) => `Za${1000 + i}`).join(' '));
    let records = 0;
    const { runs } = await explained(kit.log, sequence!.id, 150, {
      onProgress: (n) => {
        records = n;
      },
    });
    expect(runs[0]?.end).toEqual({ why: 'within', at: 200 });
    expect(records).toBeLessThan(5000);
  });

  it('needs no journal where no service has read the topic', async () => {
    const kit = await memoryKit();
    await send(kit.log, 'Xa100 Xc120 Zz500');
    expect(await explained(kit.log, sequence!.id, 150)).toMatchObject({ fired: false, runsSeen: 1 });
  });

  it('finds the key in a partition that its hash does not name', async () => {
    const kit = await memoryKit(4);
    for (const partition of [0, 1, 2, 3])
      await send(kit.log, partition === 2 ? 'Xa100 Xb120 Zz500' : 'Ya100 Zz500', partition);
    expect(await explained(kit.log, sequence!.id, 150)).toMatchObject({ fired: true, events: 2 });
  });

  it('says so when there is nothing to explain from', async () => {
    const kit = await memoryKit();
    await expect(explained(kit.log, 'nothing', 5)).rejects.toThrow('There is no rule nothing');
    await expect(explained(kit.log, sequence!.id, 5, { topics: ['gone'] })).rejects.toThrow('There is no topic gone');
  });
});
