/**
 * No alert lost and none doubled by a rolling upgrade, or by more and fewer processes, on real Kafka under load:
 *
 *     npm run build
 *     node --import ./test/harness/run-typescript.mjs test/chaos/upgrade.ts --from COMMIT
 *         [--rate 40] [--nodes 1] [--seed 1] [--delivery exactly-once|at-least-once] [--json] [--folder FOLDER]
 *
 * `--from`: the version that is upgraded, a commit of this repository; it is built in a folder of its own, with the modules that are
 * installed here; it must know the rules in `test/chaos/patterns`. Without it the version here is upgraded to itself. `--rate`: units a second, of three records or so each.
 * Exit status 0: no difference.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { differences, sums, verdict } from './report.js';
import { rolling } from './rolling.js';

const home = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    rate: { type: 'string', default: '40' },
    nodes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    delivery: { type: 'string', default: 'exactly-once' },
    json: { type: 'boolean', default: false },
    folder: { type: 'string' },
  },
});
const { delivery } = values;
if (delivery !== 'exactly-once' && delivery !== 'at-least-once') throw new Error(`--delivery: not ${delivery}`);
if (!existsSync(join(home, 'dist'))) throw new Error('there is no dist: npm run build');

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const folder = resolve(values.folder ?? mkdtempSync(join(tmpdir(), 'stakeout-upgrade-')));
const oldHome = values.from === undefined ? home : buildOf(values.from, join(folder, 'old'));
const started = performance.now();
const outcome = await rolling({
  ...{ home, oldHome, folder, delivery, say },
  ...{ seed: Number(values.seed), nodes: Number(values.nodes), unitsPerSecond: Number(values.rate) },
  patienceMs: 180_000,
});
const wrong = differences(outcome, delivery);
const seconds = Math.round((performance.now() - started) / 1000);
const lines = [
  `from ${values.from ?? 'this version'} to this one, ${delivery}, ${seconds} s`,
  ...outcome.steps.map(
    ({ what, tookMs, stoodMs }) =>
      `  ${what.padEnd(30)} well after ${(tookMs / 1000).toFixed(1).padStart(5)} s, longest standstill ${(stoodMs / 1000).toFixed(1).padStart(5)} s`,
  ),
  ...sums(outcome),
  ...verdict(outcome, delivery),
];
process.stdout.write(`${values.json ? JSON.stringify({ ...outcome, wrong }) : lines.join('\n')}\n`);
if (wrong.length > 0) say(`logs, settings and state are in ${folder}`);
else if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
process.exitCode = wrong.length === 0 ? 0 : 1;

/** The built package of a commit. */
function buildOf(commit: string, into: string): string {
  say(`building ${commit}`);
  const git = (...args: string[]): void => void execFileSync('git', ['-C', home, ...args], { stdio: 'pipe' });
  git('worktree', 'prune');
  git('worktree', 'add', '--force', '--detach', into, commit);
  try {
    symlinkSync(join(home, 'node_modules'), join(into, 'node_modules'));
    const tsc = join(home, 'node_modules/typescript/bin/tsc');
    // No declarations: they could not name types of modules that lie elsewhere.
    const args = [tsc, '-p', 'tsconfig.build.json', '--declaration', 'false'];
    execFileSync(process.execPath, args, { cwd: into, stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    // What was built stays; that the folder is a work tree is forgotten.
    rmSync(join(into, '.git'));
    git('worktree', 'prune');
  }
  return into;
}
