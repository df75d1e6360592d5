/** The processes of back-test jobs, as built, ended in the middle again and again. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { jobRunner } from '../../src/cli/commands/backtest/job-runner.js';
import { loadSettings, type Settings } from '../../src/runtime/settings/index.js';
import type { BacktestRequest, JobSummary } from '../../src/service/backtests/backtest-job.js';
import { built, root } from './kit/build.js';

const ROWS = 100_000;
const CRASHES = 3;
const RULE =
  'id: large\nkey: accountId\nwithin: 1h\nfeatures:\n  - {name: usual, avg: amount, over: 2h}\npattern:\n  - begin: a\n    where: amount > usual\n  - followedBy: b\n    where: amount > 1.9 * usual\n';
const request: BacktestRequest = { rules: { files: [{ file: 'large/pattern.yaml', text: RULE }] } };

let folder: string;

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-resume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(lanes: number): Settings {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const row = { id: `t${i}`, accountId: `a${(i * 7919) % 5003}`, amount: (i * 104_729) % 10_007, at: i * 100 };
    return `${JSON.stringify(row)}\n`;
  });
  writeFileSync(join(folder, 'rows.ndjson'), rows.join(''));
  const config = join(folder, 'stakeout.yaml');
  const stream = '{file: rows.ndjson, key: accountId, time: at, id: id, outOfOrderness: 1s}';
  writeFileSync(
    config,
    ['streams:', `  rows: ${stream}`, `backtests: {checkpointInterval: 1ms, lanes: ${lanes}}`, ''].join('\n'),
  );
  const loaded = loadSettings({ file: config, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

type Runner = ReturnType<typeof jobRunner>;

async function runnerOf(settings: Settings): Promise<Runner> {
  const file = join(root, 'dist/cli/commands/backtest/job-runner.js');
  return ((await import(file)) as { jobRunner: typeof jobRunner }).jobRunner(settings);
}

/** One process; `crash`: it ends when the lane that tells of its progress, the first, has kept something. */
async function attempt(runner: Runner, name: string, crash: boolean) {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const hasKept = (): boolean => readdirSync(own).some((file) => /^lane-0-of-\d+\.checkpoint$/.test(file));
  const resumed: number[] = [];
  const running = runner.start(request, own, {
    onProgress: () => undefined,
    onResumed: (events) => void resumed.push(events),
    onSaved: () => crash && hasKept() && running.stop(),
  });
  const summary: JobSummary | null = await running.ended.catch((error: Error) => {
    if (!crash || !error.message.includes('SIGTERM')) throw error;
    return null;
  });
  return { summary, resumed: resumed[0] ?? null, files: readdirSync(own) };
}

/** Some processes one after the other, none of which came to its end: a fast one may, before the signal reaches it, and then all begin anew. */
async function crashes(runner: Runner) {
  for (let round = 0; ; round++) {
    const name = `crashed-${round}`;
    const ended = [];
    for (let i = 0; i < CRASHES; i++) ended.push(await attempt(runner, name, true));
    if (ended.every(({ summary }) => summary === null)) return { name, ended };
  }
}

describe('the process of a back-test that ends in the middle', () => {
  it.each([1, 2])(
    'is followed by one that goes on, with the result of one alone (%i lanes)',
    async (lanes) => {
      const runner = await runnerOf(settingsOf(lanes));
      const { name, ended } = await crashes(runner);
      expect(ended[0]!.resumed).toBeNull();
      expect(ended[0]!.files).toContain('attempt.checkpoint');
      const last = await attempt(runner, name, false);
      expect(last.resumed).toBeGreaterThan(0);
      const alone = await attempt(runner, 'alone', false);
      expect(alone.resumed).toBeNull();
      expect(alone.summary).toMatchObject({ events: ROWS });
      expect(alone.summary!.alerts).toBeGreaterThan(1000);
      expect(last.summary).toEqual(alone.summary);
    },
    600_000,
  );
});
