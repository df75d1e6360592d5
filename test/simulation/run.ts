/**
 * Many seeds of the simulation, in several processes.
 *
 *     npm run simulate -- [--seeds 20000] [--first 1] [--mode exactly-once,at-least-once,switching] [--processes 2] [--json]
 *
 * Each seed runs once in each mode. Prints the seeds that were run, what was injected, by kind, and each difference with the command
 * that runs its seed again and shows what happened in it. Ends with status 1 if there was a difference.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Tally } from './world/faults.js';
import type { SimulatedDelivery } from './world/sim-world.js';
import { simulate } from './world/simulate.js';

const MODES: readonly SimulatedDelivery[] = ['exactly-once', 'at-least-once', 'switching'];
/** Seeds that a process is given at a time. */
const SHARE = 50;
const SAYS_EVERY_MS = 30_000;
/** Problems that are told of one seed. */
const SHOWN = 3;

interface Work {
  readonly mode: SimulatedDelivery;
  readonly first: number;
  readonly count: number;
}

interface Done {
  readonly work: Work;
  readonly counts: readonly (readonly [string, number])[];
  readonly steps: number;
  readonly differences: readonly Difference[];
}

interface Difference {
  readonly rerun: string;
  readonly problems: readonly string[];
}

async function perform(work: Work): Promise<Done> {
  const tally = new Tally();
  const differences: Difference[] = [];
  let steps = 0;
  for (let seed = work.first; seed < work.first + work.count; seed++) {
    const result = await simulate(seed, work.mode);
    tally.take(result.tally);
    steps += result.steps;
    if (result.problems.length === 0) continue;
    const rerun = `SEED=${seed} MODE=${work.mode} npm test -- test/simulation/simulation`;
    differences.push({ rerun, problems: result.problems.slice(0, SHOWN) });
  }
  return { work, counts: [...tally.counts], steps, differences };
}

function serve(): void {
  process.on('message', (work: Work) => {
    void perform(work).then((done) => process.send!(done));
  });
  process.send!('ready');
}

class Total {
  readonly tally = new Tally();
  readonly differences: Difference[] = [];
  readonly seeds = new Map<SimulatedDelivery, number>();
  steps = 0;

  take({ work, counts, steps, differences }: Done): void {
    for (const [kind, n] of counts) this.tally.add(kind, n);
    this.seeds.set(work.mode, (this.seeds.get(work.mode) ?? 0) + work.count);
    this.steps += steps;
    this.differences.push(...differences);
  }

  get runs(): number {
    return [...this.seeds.values()].reduce((a, b) => a + b, 0);
  }
}

/** Has one process work until there is no more to do. */
function employ(next: () => Work | undefined, took: (done: Done) => void): Promise<void> {
  const harness = join(import.meta.dirname, '..', 'harness', 'run-typescript.mjs');
  const child: ChildProcess = fork(import.meta.filename, ['--serve'], { execArgv: ['--import', harness] });
  return new Promise((resolve, reject) => {
    child.on('message', (message: 'ready' | Done) => {
      if (message !== 'ready') took(message);
      const work = next();
      if (work === undefined) child.disconnect();
      else child.send(work);
    });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process ended with ${code}`))));
  });
}

function* workOf(modes: readonly SimulatedDelivery[], first: number, count: number): Generator<Work> {
  for (let from = first; from < first + count; from += SHARE)
    for (const mode of modes) yield { mode, first: from, count: Math.min(SHARE, first + count - from) };
}

function modesOf(given: string): readonly SimulatedDelivery[] {
  return given.split(',').map((name) => {
    const mode = MODES.find((one) => one === name);
    if (mode === undefined) throw new Error(`--mode: ${name} is none of ${MODES.join(', ')}`);
    return mode;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20000' },
      first: { type: 'string', default: '1' },
      mode: { type: 'string', default: MODES.join(',') },
      processes: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
    },
  });
  const work = workOf(modesOf(values.mode), Number(values.first), Number(values.seeds));
  const total = new Total();
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const saying = setInterval(() => {
    process.stderr.write(`${total.runs} runs, ${total.differences.length} differences, ${seconds()} s\n`);
  }, SAYS_EVERY_MS);
  const next = (): Work | undefined => work.next().value ?? undefined;
  const took = (done: Done): void => {
    total.take(done);
    for (const { rerun, problems } of done.differences)
      process.stderr.write(`to rerun: ${rerun}\n  ${problems.join('\n  ')}\n`);
  };
  try {
    await Promise.all(Array.from({ length: Number(values.processes) }, () => employ(next, took)));
  } finally {
    clearInterval(saying);
  }
  report(total, seconds(), values.json);
  if (total.differences.length > 0) process.exitCode = 1;
}

function report({ tally, differences, seeds, runs, steps }: Total, seconds: number, json: boolean): void {
  const result = {
    runs,
    seeds: Object.fromEntries(seeds),
    steps,
    seconds,
    differences,
    counts: Object.fromEntries(tally.counts),
  };
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const modes = [...seeds].map(([mode, count]) => `${count} ${mode}`).join(', ');
    process.stdout.write(`${tally.table()}\n${runs} runs (seeds: ${modes}), ${steps} steps, ${seconds} s\n`);
    process.stdout.write(`differences: ${differences.length}\n`);
  }
}

if (process.argv.includes('--serve')) serve();
else await main();
