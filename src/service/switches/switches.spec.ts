import { until } from '../../../test/harness/until.js';
import { systemClock } from '../../connectors/system-clock.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { AlertSink } from '../../runtime/sinks/alert-sink.js';
import { aService } from '../testing/a-service.js';
import { FakeDetector } from '../testing/fake-detector.js';
import { SwitchControl } from './switch-control.js';

class Detector extends FakeDetector {
  readonly paused: (readonly string[])[] = [];
  async pauseStreams(names: readonly string[]): Promise<void> {
    this.paused.push(names);
  }
}

const controls: SwitchControl[] = [];
afterEach(async () => {
  for (const control of controls.splice(0)) await control.stop();
});

function controlOf(log: MemoryLog, lines: string[] = []): SwitchControl {
  const control = new SwitchControl({
    ...{ log, clock: systemClock, topic: 'switches', streams: () => ['payments', 'logins'] },
    report: (text) => lines.push(text),
    warn: (text, trouble) => lines.push(`${text}: ${trouble.message}`),
  });
  controls.push(control);
  return control;
}

async function process(log: MemoryLog) {
  const lines: string[] = [];
  const control = controlOf(log, lines);
  const detector = new Detector();
  await control.open();
  control.attach(detector);
  return { control, detector, lines };
}

const by = { author: 'ann', message: 'a flood of duplicates' };

describe('streams that are paused', () => {
  it('are so for all processes, and for those that start later, until they are resumed', async () => {
    const log = new MemoryLog();
    const [one, other] = [await process(log), await process(log)];
    await one.control.set('stream', 'logins', true, by);
    expect(one.detector.paused.at(-1)).toEqual(['logins']);
    await until(() => other.detector.paused.at(-1)?.[0] === 'logins', 'the other process to follow');
    expect(one.lines).toEqual(['stream logins is paused by ann']);
    const later = await process(log);
    expect([later.control.pausedStreams, later.control.get('stream', 'logins')]).toEqual([
      ['logins'],
      expect.objectContaining({ paused: true, ...by }),
    ]);
    await later.control.set('stream', 'logins', false, by);
    await until(() => one.detector.paused.at(-1)?.length === 0, 'the first process to follow');
    expect((await process(log)).control.pausedStreams).toEqual([]);
  });
});

class Sink implements AlertSink {
  readonly name = 'fake';
  readonly ids: string[] = [];
  async write(alerts: readonly { readonly id: string }[]): Promise<void> {
    this.ids.push(...alerts.map(({ id }) => id));
  }
  async close(): Promise<void> {}
}

describe('streams and sinks over HTTP', () => {
  async function served() {
    const sink = new Sink();
    const switches = controlOf(new MemoryLog());
    await switches.open();
    const made = await aService({ switches, sinks: [sink] });
    await made.service.start();
    switches.attach(new Detector());
    const ask = async (method: string, path: string, body?: object) => {
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers };
      const response = await fetch(`${made.service.url()}${path}`, { method, ...sent });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    return { ask, switches, stop: () => made.service.stop() };
  }

  it('are listed, paused and resumed', async () => {
    const { ask, stop } = await served();
    await ask('POST', '/v1/sinks/fake/pause', { author: 'ann' });
    const state = async () =>
      ((await ask('GET', '/v1/sinks')).body.items as { name: string; state: string }[]).find(
        ({ name }) => name === 'fake',
      )!.state;
    await until(async () => (await state()) === 'paused', 'the sink to be paused');
    await ask('POST', '/v1/sinks/fake/resume', { author: 'ann' });
    await until(async () => (await state()) === 'running', 'the sink to go on');
    expect(await ask('POST', '/v1/streams/payments/pause', by)).toMatchObject({
      status: 200,
      body: { paused: true, ...by },
    });
    const { items: streams } = (await ask('GET', '/v1/streams')).body as { items: { name: string }[] };
    expect(streams.map(({ name }) => name)).toEqual(['transactions']);
    await stop();
  });

  it.each([
    ['/v1/streams/none/pause', { author: 'ann' }, 404],
    ['/v1/sinks/none/pause', { author: 'ann' }, 404],
    ['/v1/streams/payments/resume', { message: 7 }, 400],
  ])('%s is refused', async (path, body, status) => {
    const { ask, stop } = await served();
    expect((await ask('POST', path, body)).status).toBe(status);
    await stop();
  });
});
