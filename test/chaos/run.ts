/**
 * Nothing lost and nothing doubled on real Kafka, whatever goes wrong:
 *
 *     npm run build
 *     node --import ./test/harness/run-typescript.mjs test/chaos/run.ts --rounds 50
 *         [--seed 1] [--nodes 3] [--delivery exactly-once|at-least-once] [--rate 40] [--minutes 60] [--json]
 *         [--faults KIND+KIND] [--home FOLDER] [--folder FOLDER]
 *
 * `--faults kill+cut`: these in every round, instead of a choice by the seed. `--rate`: units a second, of three records or so each. `--minutes`: no round begins later. `--home`: where `bin` and `dist` are.
 * `--folder`: where settings, state and logs of the services go and stay; else they are kept only when something is wrong.
 * The seed decides which faults come, on whom and for how long, not how threads and networks run. Exit status 0: no difference.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { campaign } from './campaign.js';
import { type FaultKind, planOf } from './faults.js';
import { Dice } from './random.js';
import { differences, table } from './report.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '3' },
    delivery: { type: 'string', default: 'exactly-once' },
    rate: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '600' },
    faults: { type: 'string' },
    json: { type: 'boolean', default: false },
    home: { type: 'string', default: join(import.meta.dirname, '../..') },
    folder: { type: 'string' },
  },
});

const seed = Number(values.seed);
const { delivery } = values;
if (delivery !== 'exactly-once' && delivery !== 'at-least-once') throw new Error(`--delivery: not ${delivery}`);
const folder = resolve(values.folder ?? mkdtempSync(join(tmpdir(), 'stakeout-chaos-')));
const rounds = Number(values.rounds);
const plan =
  values.faults === undefined
    ? planOf(rounds, new Dice(seed))
    : Array.from({ length: rounds }, () => values.faults!.split('+') as FaultKind[]);

const outcome = await campaign({
  ...{ plan, seed, nodes: Number(values.nodes), delivery, unitsPerSecond: Number(values.rate) },
  ...{ home: resolve(values.home), folder, patienceMs: 180_000, roundsMaxMs: Number(values.minutes) * 60_000 },
  say: (text) => void process.stderr.write(`${text}\n`),
});
const wrong = differences(outcome, delivery);
process.stdout.write(`${values.json ? JSON.stringify({ ...outcome, wrong }) : table(outcome, delivery)}\n`);
if (wrong.length > 0) process.stderr.write(`logs, settings and state are in ${folder}\n`);
else if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
process.exitCode = wrong.length === 0 ? 0 : 1;
