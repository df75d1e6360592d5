import { makeLane, RULES, readAlerts, row, ruleSetOf, showAlert } from '../../../../test/harness/lane-kit.js';
import { until } from '../../../../test/harness/until.js';
import type { Rule } from '../../../rules/rule.js';
import { MemoryLog } from '../../memory/memory-log.js';
import { MemoryStateStore } from '../../memory/memory-state-store.js';
import type { Log, ReadOptions, TopicPartition } from '../../ports/log.js';
import { besidesPartition } from '../../ports/state-store.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { Lane } from '../lane.js';

const PARTITION = { topic: 'rows', partition: 0 };
const ROWS = 40;
const [AB] = RULES;
const filled: Rule = { ...AB!, id: 'filled', revision: 'f1', onUpdate: 'backfill' };
const to = (rule: Rule) => ({ source: ruleSetOf([RULES[1]!, rule]), routes: [] });

/** The log as a process sees it that gets no further with what it reads by itself than to an offset; it waits there. */
class Stuck {
  constructor(
    private readonly log: MemoryLog,
    readonly upTo: number,
  ) {}

  seen(): Log {
    const { log, upTo } = this;
    async function* read(partition: TopicPartition, from: number, options?: ReadOptions) {
      for await (const batch of log.read(partition, from, options)) {
        const isOfRows = partition.topic === PARTITION.topic;
        if (isOfRows && batch.nextOffset > upTo) await new Promise(() => undefined);
        yield batch;
      }
    }
    return new Proxy(log, { get: (of, name) => (name === 'read' ? read : Reflect.get(of, name, of)) });
  }
}

async function world() {
  const clock = new ManualClock();
  const log = new MemoryLog({ clock, batchRecordsMax: 5 });
  await log.createTopic({ name: 'rows', partitions: 1 });
  const kit = { log, store: new MemoryStateStore(), clock };
  const said: string[] = [];
  const started: Lane[] = [];
  const lane = async (on: Log, rule: Rule | null): Promise<Lane> => {
    const ruleSet = rule === null ? ruleSetOf([RULES[1]!]) : to(rule).source;
    // What is filled is kept after each part that is read.
    const made = makeLane({ ...kit, log: on }, { ruleSet, snapshotIntervalMs: 0, report: (text) => said.push(text) });
    started.push(made);
    await made.start();
    return made;
  };
  const send = async (from: number, count: number): Promise<void> => {
    const producer = await log.producer();
    const rows = Array.from({ length: count }, (_, i) => from + i);
    await producer.send(
      rows.map((i) => row('rows', { id: `e${i}`, account: `A${i % 7}`, type: 'ab'[i % 2]!, at: 1000 + 5 * i })),
    );
  };
  const at = (running: Lane, offset: number) =>
    until(() => running.status().partitions[0]?.position === offset, `offset ${offset}`);
  const kept = async () => (await kit.store.partition(besidesPartition(PARTITION))).cut();
  return { ...kit, said, lane, send, at, kept };
}

type World = Awaited<ReturnType<typeof world>>;

const inForce = ({ clock }: World, lane: Lane, rule: Rule) =>
  until(() => {
    clock.advance(100);
    return lane.status().partitions[0]?.rules === to(rule).source.digest;
  }, 'the rule to be in force');

/** A process that fills a rule, and ends before it is done. */
async function interrupted(rule: Rule): Promise<World> {
  const all = await world();
  const stuck = new Stuck(all.log, 20);
  const first = await all.lane(stuck.seen(), null);
  await all.send(0, ROWS);
  await all.at(first, ROWS);
  await first.setRules(to(rule));
  await until(() => first.status().partitions[0]!.filling?.position === stuck.upTo, 'half of it to be filled');
  await until(async () => (await all.kept()) !== null, 'it to be kept');
  await first.stop();
  return all;
}

/** What a process finds that has the rule from then on. */
async function goneOn(all: World, rule: Rule): Promise<readonly string[]> {
  const next = await all.lane(all.log, null);
  await next.setRules(to(rule));
  await inForce(all, next, rule);
  await all.send(ROWS, 20);
  await all.at(next, ROWS + 20);
  await until(async () => {
    all.clock.advance(100);
    return (await all.kept()) === null;
  }, 'what was kept to be forgotten, once it is in a cut');
  await next.stop();
  return (await readAlerts(all.log)).filter(({ patternId }) => patternId === rule.id).map(showAlert);
}

describe('a rule that is filled from the log', () => {
  it('goes on after a restart from where it was kept, and finds what it finds without one', async () => {
    const all = await interrupted(filled);
    const alerts = await goneOn(all, filled);
    expect(all.said).toContainEqual(
      expect.stringMatching(/^rows-0: filling filled begun at offset 0, going on from (5|10|15|20): \d+ records$/),
    );
    const whole = await world();
    const lane = await whole.lane(whole.log, null);
    await whole.send(0, ROWS);
    await whole.at(lane, ROWS);
    await lane.stop();
    expect(alerts.length).toBeGreaterThan(5);
    expect(await goneOn(whole, filled)).toEqual(alerts);
  });

  it('begins anew where another rule was kept', async () => {
    const all = await interrupted({ ...filled, revision: 'f0' });
    await goneOn(all, filled);
    expect(all.said.join('\n')).not.toContain('going on from');
    expect(all.said).toContainEqual('rows-0: filling filled from offset 0: 40 records');
  });
});
