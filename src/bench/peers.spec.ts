import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figuresOf, PeerRunner } from './peers.js';

const line = (iter: number, eps: number): string =>
  JSON.stringify({ engine: 'other-1.0', n: 1000, iter, eps, seconds: 1, cpu: 0.002, matches: 7, note: '' });

describe('the figures of a peer', () => {
  it('are the median, least and most of its timed passes', () => {
    const text = [line(-1, 1), line(0, 300), line(1, 100), line(2, 200), ''].join('\n');
    expect(figuresOf(text)).toEqual({
      engine: 'other-1.0',
      eventsPerSecond: 200,
      min: 100,
      max: 300,
      cpuMicrosPerEvent: 2,
      matches: 7,
      passes: 3,
    });
  });

  it('need a timed pass', () => {
    expect(() => figuresOf(line(-1, 1))).toThrow('there is no timed pass');
  });
});

describe('the runner of peers', () => {
  let folder: string;
  const silent = (): void => undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stakeout-peers-spec-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function script(text: string): void {
    writeFileSync(join(folder, 'run.sh'), text);
  }

  it('is not there without a folder, or when the folder has no script', () => {
    expect(PeerRunner.open(undefined, ['esper'], 3)).toBeNull();
    expect(PeerRunner.open(folder, ['esper'], 3)).toBeNull();
  });

  it('calls the script with engine, workload, stream, one thread and passes, and reads its results', async () => {
    script(`echo '${line(0, 500)}' | sed "s/\\"note\\":\\"\\"/\\"note\\":\\"$*\\"/; s/other-1.0/$*/" >> "$RESULTS"`);
    const runner = PeerRunner.open(folder, ['esper', 'flink'], 3);
    const inOrder = await runner?.run('W1', 'u5k', 'in-order', silent);
    expect(inOrder?.map(({ engine }) => engine)).toEqual(['esper peers.EsperBench W1 u5k 1 1 3']);
    const behind = await runner?.run('W4', 'hot', 'watermark', silent);
    expect(behind?.map(({ engine }) => engine)).toEqual(['flink peers.FlinkBench W4kpf hot 1 keyBy heap 5 3']);
  });

  it('leaves out a peer that does not answer the workload', async () => {
    script('exit 1');
    expect(await PeerRunner.open(folder, ['drools', 'siddhi'], 1)?.run('W5', 'hot', 'in-order', silent)).toEqual([]);
  });

  it('tells why a peer failed, with the end of what it said', async () => {
    script('echo "no such class" >&2; exit 3');
    expect(await PeerRunner.open(folder, ['esper'], 1)?.run('W1', 'u5k', 'in-order', silent)).toEqual([
      { engine: 'esper', error: 'ended with 3: no such class' },
    ]);
    script('exit 0');
    expect(await PeerRunner.open(folder, ['esper'], 1)?.run('W1', 'u5k', 'in-order', silent)).toMatchObject([
      { engine: 'esper', error: expect.stringContaining('its results cannot be read') },
    ]);
  });

  it('refuses a peer that it does not know', () => {
    expect(() => PeerRunner.open(folder, ['espresso'], 1)).toThrow('There is no peer espresso. Peers are esper,');
  });
});
