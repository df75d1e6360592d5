/** Lanes in real threads. What they find is tested with a real broker in `test/e2e/lanes.spec.ts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { until } from '../../../test/harness/until.js';
import { systemClock } from '../../connectors/system-clock.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { shippedPatterns } from '../../runtime/settings/index.js';
import { loadRunningRules } from '../compose/rules/running-rules.js';
import { allFacts, ruleStreamsOf } from '../compose/streams/stream-parts.js';
import { someSettings } from '../testing/a-service.js';
import { LaneGroup, type LaneGroupOptions } from './lane-group.js';
import { spawnLane } from './spawn-lane.js';

const RUN_TYPESCRIPT = fileURLToPath(new URL('../../../test/harness/run-typescript.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'stakeout-threads-'));
/** Nobody answers there. */
const settings = someSettings({
  kafka: { brokers: ['127.0.0.1:1'] },
  registry: { url: 'http://127.0.0.1:1' },
  data: { directory: folder },
});
let group: LaneGroup;
let lines: string[];

afterEach(() => group.stop());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function aGroup(over: Partial<LaneGroupOptions>): LaneGroup {
  lines = [];
  group = new LaneGroup({
    restart: { strategy: 'exponential', delay: 1_000, delayMax: 30_000, attempts: 5, window: 600_000 },
    ...{
      lanes: async () => 2,
      rules: [],
      sources: [],
      lists: {},
      store: new MemoryStateStore(),
      clock: systemClock,
      listener: {},
    },
    delivery: 'exactly-once',
    report: (text) => lines.push(text),
    warn: (text, trouble) => lines.push(`${text}: ${trouble.message}`),
    spawn: () => {
      throw new Error('the test says how threads are started');
    },
    ...over,
  });
  return group;
}

/** A thread that says it runs, does something, and stops when it is told to. */
const scripted = (does: string) => `
  const { parentPort } = require('node:worker_threads');
  const counters = { recordsIn: 1, recordsReplayed: 0, late: 0, deadLettered: 0, alerts: 0, runsDropped: 0, matchesDropped: 0, backpressureSeconds: 0, outputsWaiting: 0 };
  const status = { phase: 'running', trouble: null, ...counters, matches: new Map(), steps: new Map(), partitions: [] };
  parentPort.on('message', ({ kind }) => kind === 'stop' && parentPort.postMessage({ kind: 'stopped', error: null }));
  parentPort.postMessage({ kind: 'told', events: [], status });
  parentPort.postMessage({ kind: 'started' });
  ${does}
`;

/** Lane 0 does so in its first thread; all others run. */
function once(does: string): LaneGroupOptions['spawn'] {
  let done = false;
  return (number, statePort) => {
    const code = scripted(number === 0 && !done ? does : '');
    if (number === 0) done = true;
    const resourceLimits = { maxOldGenerationSizeMb: 24 };
    return new Worker(code, { eval: true, workerData: { statePort }, transferList: [statePort], resourceLimits });
  };
}

it('runs a lane from the sources in a thread, which tells of its trouble and stops in good order', async () => {
  const { sources } = await loadRunningRules(shippedPatterns, ruleStreamsOf(allFacts(settings)), new Map());
  const starting = aGroup({
    spawn: (number, statePort) =>
      spawnLane({ settings, number, sources, lists: {}, statePort }, { execArgv: ['--import', RUN_TYPESCRIPT] }),
  }).start();
  const called = expect(starting).rejects.toThrow('stopped before it had started');
  await until(
    () => group.status().trouble?.startsWith('cannot start yet') === true,
    () => `trouble with the registry: ${JSON.stringify(group.status())} ${lines.join('\n')}`,
  );
  expect(group.status().phase).toBe('starting');
  await group.stop();
  await called;
  expect(group.status().phase).toBe('stopped');
});

it('fails to start with the error of a lane that cannot be made', async () => {
  const sources = [{ file: 'broken/pattern.yaml', text: 'id: broken' }];
  const starting = aGroup({
    spawn: (number, statePort) =>
      spawnLane({ settings, number, sources, lists: {}, statePort }, { execArgv: ['--import', RUN_TYPESCRIPT] }),
  }).start();
  await expect(starting).rejects.toThrow(/broken\/pattern\.yaml/);
  expect(group.status().phase).toBe('failed');
});

it.each([
  ['exits', 'setTimeout(() => process.exit(3), 10);', 'its thread ended with 3'],
  ['throws', "setTimeout(() => { throw new TypeError('a bug'); }, 10);", 'a bug'],
  [
    'runs out of memory',
    'setTimeout(() => { for (let all = null; ; ) all = { all }; }, 10);',
    'Worker terminated due to reaching memory limit: JS heap out of memory',
  ],
])('starts a thread again that %s; the process goes on', async (_, does, reason) => {
  await aGroup({ spawn: once(does) }).start();
  await until(() => lines.some((line) => line.includes('is started again')), 'the end to be noticed');
  expect(lines.at(-1)).toBe(`lane 0 ended and is started again in 1000 ms: ${reason}`);
  expect(group.status()).toMatchObject({ phase: 'degraded', trouble: `lane 0: ended: ${reason}` });
  await until(() => group.status().phase === 'running', 'it to run again');
  expect(group.status().recordsIn).toBe(3);
});
