import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { readRules } from '../../rules/index.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { RuleControl } from '../rules/rule-control.js';
import { aService } from '../testing/a-service.js';
import type { BacktestListener, BacktestRequest, BacktestRunner, JobSummary } from './backtest-job.js';
import { BacktestJobs } from './backtest-jobs.js';

const rule = (id: string, status = 'live') => ({
  file: `${id}/pattern.yaml`,
  text: `id: ${id}\nstatus: ${status}\nkey: accountId\npattern:\n  - begin: large\n    where: amount > 1000\n`,
});
const summary: JobSummary = { events: 9, alerts: 2, precision: 0.5, recall: 1, f1: 0.7, digest: 'd', parity: true };

class FakeRunner implements BacktestRunner {
  readonly runs: {
    readonly request: BacktestRequest;
    readonly folder: string;
    readonly listener: BacktestListener;
    readonly finish: (result: JobSummary | Error) => Promise<void>;
  }[] = [];

  start(request: BacktestRequest, folder: string, listener: BacktestListener) {
    const { promise: ended, resolve, reject } = Promise.withResolvers<JobSummary>();
    const finish = async (result: JobSummary | Error): Promise<void> => {
      if (result instanceof Error) return reject(result);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'result.json'), JSON.stringify({ events: 9 }));
      await writeFile(join(folder, 'report.html'), '<!doctype html>');
      resolve(result);
    };
    this.runs.push({ request, folder, listener, finish });
    return { ended, stop: () => reject(new Error('stopped')) };
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stakeout-backtests-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const request: BacktestRequest = { rules: { files: [rule('a')] } };

async function jobsOf(over: { readonly queueMax?: number; readonly keptMax?: number } = {}) {
  const [runner, clock] = [new FakeRunner(), new ManualClock(1_000_000)];
  const troubles: unknown[] = [];
  const limits = { queueMax: 2, keptMax: 3, ...over };
  const jobs = new BacktestJobs({ runner, clock, folder, ...limits, onTrouble: (...all) => troubles.push(all) });
  await jobs.open();
  return { jobs, runner, clock, troubles };
}

describe('back-tests that were asked for', () => {
  it('run one after the other, and tell how far they are', async () => {
    const { jobs, runner, clock } = await jobsOf();
    const [one, other] = [(await jobs.add(request, 'one'))!, (await jobs.add(request, null))!];
    expect([jobs.get(one.id)!.state, other.state, runner.runs.length]).toEqual(['running', 'queued', 1]);
    clock.advance(2000);
    runner.runs[0]!.listener.onProgress(0.25, 5000);
    expect(jobs.get(one.id)!.progress).toEqual({ fraction: 0.25, events: 5000, eventsPerSecond: 2500, secondsLeft: 6 });
    await runner.runs[0]!.finish(summary);
    await until(() => runner.runs.length === 2, 'the next to begin');
    expect(jobs.get(one.id)).toMatchObject({ state: 'done', summary, title: 'one', attempts: 1 });
    await runner.runs[1]!.finish(new Error('there is no topic x'));
    await until(() => jobs.get(other.id)!.state === 'failed', 'the failure');
    expect(jobs.get(other.id)!.error).toBe('there is no topic x');
    await jobs.close();
  });

  it('are begun anew by the next process where the service stopped, and given up after three times', async () => {
    let id = '';
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { jobs, runner } = await jobsOf();
      if (attempt === 1) id = (await jobs.add(request, null))!.id;
      await until(() => runner.runs.length === 1, 'it to run');
      expect(jobs.get(id)).toMatchObject({ state: 'running', attempts: attempt });
      expect(runner.runs[0]!.request).toEqual(request);
      await jobs.close();
    }
    const { jobs, runner } = await jobsOf();
    expect([jobs.get(id)!.state, runner.runs.length]).toEqual(['failed', 0]);
    expect(jobs.get(id)!.error).toMatch(/cut short 3 times/);
    await jobs.close();
  });

  it('go on from what was kept, and are not given up while something is', async () => {
    let id = '';
    for (let attempt = 1; attempt <= 5; attempt++) {
      const { jobs, runner, clock } = await jobsOf();
      if (attempt === 1) id = (await jobs.add(request, null))!.id;
      await until(() => runner.runs.length === 1, 'it to run');
      const { folder: own, listener } = runner.runs[0]!;
      const events = (attempt - 1) * 1000;
      expect(jobs.get(id)).toMatchObject({ attempts: attempt, resumedAfter: null });
      if (attempt > 1) {
        listener.onResumed(events);
        expect(await readdir(own)).toContain('lane-0-of-1.checkpoint');
      }
      clock.advance(1000);
      listener.onProgress(attempt / 10, events + 1000);
      const progress = { fraction: attempt / 10, events: events + 1000, eventsPerSecond: 1000 };
      expect(jobs.get(id)).toMatchObject({ progress, resumedAfter: attempt === 1 ? null : events });
      await writeFile(join(own, 'lane-0-of-1.checkpoint'), 'kept');
      listener.onSaved();
      await jobs.close();
    }
    const { jobs, runner } = await jobsOf();
    await until(() => runner.runs.length === 1, 'it to run');
    await runner.runs[0]!.finish(summary);
    await until(() => jobs.get(id)!.state === 'done', 'the end');
    await until(
      async () => !(await readdir(runner.runs[0]!.folder)).includes('lane-0-of-1.checkpoint'),
      'the rest to go',
    );
    await jobs.close();
  });

  it('can be cancelled while they wait or run, and forgotten once they have ended', async () => {
    const { jobs, runner } = await jobsOf();
    const [one, other] = [(await jobs.add(request, null))!, (await jobs.add(request, null))!];
    expect((await jobs.remove(other.id))!.state).toBe('cancelled');
    expect((await jobs.remove(one.id))!.state).toBe('cancelled');
    expect(runner.runs.length).toBe(1);
    await jobs.remove(one.id);
    expect(jobs.list().map(({ id }) => id)).toEqual([other.id]);
    await jobs.close();
    expect((await jobsOf()).jobs.list().map(({ id }) => id)).toEqual([other.id]);
  });

  it('are refused when too many wait, and only the newest results are kept', async () => {
    const { jobs, runner, clock } = await jobsOf({ queueMax: 1, keptMax: 2 });
    await jobs.add(request, 'first');
    for (let i = 0; i < 4; i++) {
      clock.advance(1000);
      await jobs.add(request, `later ${i}`);
      expect(await jobs.add(request, 'too many')).toBeNull();
      await runner.runs.at(-1)!.finish(summary);
      await until(() => runner.runs.length === i + 2, 'the next');
    }
    await until(() => jobs.list().length === 3, 'the oldest to go');
    expect(jobs.list().map(({ title }) => title)).toEqual(['later 3', 'later 2', 'later 1']);
    await jobs.close();
  });
});

describe('/v1/backtests', () => {
  async function served() {
    const read = (files: Parameters<typeof readRules>[0]) => readRules(files);
    const files = [rule('a'), rule('b', 'draft')];
    const { rules } = await read(files);
    const none = async (): Promise<void> => undefined;
    const control = new RuleControl({
      ...{ log: new MemoryLog(), clock: new ManualClock(0), topic: 'rules', approval: false, read, beforeRun: none },
      initial: { all: rules, files, rules, sources: files, diagnostics: [] },
      ...{ report: () => undefined, warn: () => undefined },
    });
    const backtests = new FakeRunner();
    const { service } = await aService({ backtests, rules: control }, { settings: { data: { directory: folder } } });
    await service.start();
    const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
      const answer = await service.app.inject({ method, url, ...(payload && { payload }) });
      return { status: answer.statusCode, type: answer.headers['content-type'], text: answer.body };
    };
    const json = async (...of: Parameters<typeof ask>) => {
      const { status, text } = await ask(...of);
      return [status, JSON.parse(text) as Record<string, unknown>] as const;
    };
    return { service, runner: backtests, ask, json };
  }

  it('takes rules that are sent along, drafts too, and gives figures and report when it has ended', async () => {
    const { service, runner, ask, json } = await served();
    const sent = {
      rules: { files: [rule('c', 'draft')] },
      baseline: {},
      from: '2026-01-01',
      sweep: ['x=1,2'],
      title: 't',
    };
    const [status, job] = await json('POST', '/v1/backtests', sent);
    expect([status, job.state, job.title]).toEqual([202, expect.stringMatching(/queued|running/), 't']);
    expect(runner.runs[0]!.request).toEqual({
      ...{ rules: { files: [rule('c', 'draft')], ids: ['c'] }, from: '2026-01-01', sweep: ['x=1,2'] },
      baseline: { files: [rule('a'), rule('b', 'draft')] },
    });
    const url = `/v1/backtests/${String(job.id)}`;
    expect(await json('GET', `${url}/result`)).toEqual([409, expect.objectContaining({ code: 'NO_RESULT' })]);
    const events = ask('GET', `${url}/events`);
    runner.runs[0]!.listener.onProgress(0.5, 10);
    await runner.runs[0]!.finish(summary);
    const told = (await events).text.split('\n\n').filter((text) => text.startsWith('event: job'));
    expect(told.at(-1)).toContain('"state":"done"');
    expect(await json('GET', `${url}/result`)).toEqual([200, { events: 9 }]);
    expect(await ask('GET', `${url}/report`)).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    expect((await json('GET', '/v1/backtests'))[1]).toEqual({
      items: [expect.objectContaining({ summary })],
      nextCursor: null,
    });
    expect((await json('DELETE', url))[0]).toBe(200);
    expect(await json('GET', url)).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
    await service.stop();
  });

  it.each<[what: string, body: object, status: number, path: string]>([
    ['a key that is not known', { patterns: 'x' }, 400, 'patterns'],
    ['a time that is none', { from: 'yesterday' }, 400, 'from'],
    ['a warm-up that is none', { warmup: 'long' }, 400, 'warmup'],
    ['rules that are none', { rules: { files: [{ file: 'a' }] } }, 400, 'rules.files'],
    ['a rule that is not there', { rules: { ids: ['z'] } }, 400, 'rules.ids'],
    ['labels that are no rows', { labels: ['p1'] }, 400, 'labels'],
    ['rules with errors', { rules: { files: [{ file: 'x.yaml', text: 'id: x\n' }] } }, 422, 'x.yaml:1:1'],
  ])('says what is wrong with %s', async (_, body, status, path) => {
    const { service, json } = await served();
    const [answered, problem] = await json('POST', '/v1/backtests', body);
    expect(answered).toBe(status);
    expect(problem.errors).toContainEqual(expect.objectContaining({ path }));
    await service.stop();
  });

  it('runs a draft by its id, and says that a revision is not there', async () => {
    const { service, runner, json } = await served();
    expect((await json('POST', '/v1/backtests', { rules: { ids: ['b'] } }))[0]).toBe(202);
    expect(runner.runs[0]!.request.rules.ids).toEqual(['b']);
    expect((await json('POST', '/v1/backtests', { rules: { revision: 7 } }))[0]).toBe(404);
    await service.stop();
  });
});
